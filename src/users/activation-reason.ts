import { AppError } from '../errors/app-error.js';

export const maxReasonLength = 1000;

/**
 * Checks the reason for a ban or unban, or the note beside it: well-formed Unicode of up to 1,000 characters, counted
 * as code points; null if none was given.
 * @throws AppError argument_invalid
 */
export function checkReason(reason: string | null, name = 'reason'): string | null {
  if (reason === null) return null;
  if (!reason.isWellFormed() || reason.includes('\0'))
    throw new AppError('argument_invalid', { detail: `${name} must be well-formed Unicode text` });
  if ([...reason].length > maxReasonLength)
    throw new AppError('argument_invalid', { detail: `${name} must have at most ${maxReasonLength} characters` });
  return reason;
}
