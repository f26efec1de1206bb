import { AppError } from '../errors/app-error.js';
import type { User } from './user.js';

/** The error of a banned user's login, which says until when. */
export function bannedError({ ban }: Pick<User, 'ban'>): AppError {
  const endsAt = ban?.endsAt ?? null;
  return new AppError('user_banned', endsAt === null ? {} : { untilMs: endsAt });
}
