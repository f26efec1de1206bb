import { AppError } from '../errors/app-error.js';

export const nicknameLengthMost = 100;

/**
 * A nickname that can be stored: any well-formed Unicode of up to 100 characters, counted as code points.
 * @throws AppError nickname_too_long, argument_invalid
 */
export function checkNickname(nickname: string): string {
  if (!nickname.isWellFormed() || nickname.includes('\0'))
    throw new AppError('argument_invalid', { detail: 'nickname must be well-formed Unicode text' });
  if ([...nickname].length > nicknameLengthMost) throw new AppError('nickname_too_long', { limit: nicknameLengthMost });
  return nickname;
}
