import { AppError } from '../errors/app-error.js';

export const maxNicknameLength = 100;

/** The column's length: the limit for dialects without a rule of their own. */
export const maxLongNicknameLength = 255;

/**
 * Checks a nickname: well-formed Unicode of up to `maxLength` characters, counted as code points.
 * @throws AppError nickname_too_long, argument_invalid
 */
export function checkNickname(nickname: string, maxLength = maxNicknameLength): string {
  if (!nickname.isWellFormed() || nickname.includes('\0'))
    throw new AppError('argument_invalid', { detail: 'nickname must be well-formed Unicode text' });
  if ([...nickname].length > maxLength) throw new AppError('nickname_too_long', { limit: maxLength });
  return nickname;
}
