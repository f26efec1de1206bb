import { AppError } from '../errors/app-error.js';

export const maxPasswordBytes = 64;

/**
 * The rule for a new password: 1 to 64 bytes of UTF-8 ("does not exceed 64 bytes", Agora), any characters. Half of a
 * surrogate pair is refused, as UTF-8 has no bytes for it, and different ones would become the same password.
 * @throws AppError password_missing, password_too_long, argument_invalid
 */
export function checkPassword(password: string): void {
  if (password === '') throw new AppError('password_missing');
  if (/\p{Surrogate}/u.test(password))
    throw new AppError('argument_invalid', { detail: 'password must be well-formed Unicode' });
  if (Buffer.byteLength(password) > maxPasswordBytes)
    throw new AppError('password_too_long', { limit: maxPasswordBytes });
}
