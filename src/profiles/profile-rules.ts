import { AppError } from '../errors/app-error.js';

export const avatarUrlLengthMost = 2048;
/** A row must stay small: whole pages of users are read at once. */
export const extrasBytesMost = 16 * 1024;

/** @throws AppError argument_invalid */
export function checkAvatarUrl(avatarUrl: string): string {
  if (avatarUrl.length > avatarUrlLengthMost)
    throw invalid('avatar_url', `must be at most ${avatarUrlLengthMost} characters`);
  if (!avatarUrl.isWellFormed() || /\p{Cc}/u.test(avatarUrl))
    throw invalid('avatar_url', 'must be text without control characters');
  return avatarUrl;
}

/** The object as the text that is stored. @throws AppError argument_invalid */
export function writeExtras(extras: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify(extras);
  if (Buffer.byteLength(text) > extrasBytesMost)
    throw invalid('extras', `must be at most ${extrasBytesMost} bytes of JSON`);
  return text;
}

function invalid(member: string, rule: string): AppError {
  const detail = `${member} ${rule}`;
  return new AppError('argument_invalid', { detail, problems: { [member]: detail } });
}
