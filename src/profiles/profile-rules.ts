import { AppError } from '../errors/app-error.js';

export const maxAvatarUrlLength = 2048;
/** A row must stay small: whole pages of users are read at once. */
export const maxExtrasBytes = 16 * 1024;

/** Changes to a profile; undefined fields stay as they are. */
export interface ProfileDetails {
  readonly displayName?: string | undefined;
  readonly avatarUrl?: string | undefined;
  readonly extras?: Readonly<Record<string, unknown>> | undefined;
}

/** The details to write to the profile. @throws AppError argument_invalid */
export function checkDetails({ avatarUrl, extras }: ProfileDetails) {
  return {
    avatarUrl: avatarUrl === undefined ? undefined : checkAvatarUrl(avatarUrl),
    extras: extras === undefined ? undefined : writeExtras(extras),
  };
}

/** @throws AppError argument_invalid */
function checkAvatarUrl(avatarUrl: string): string {
  if (avatarUrl.length > maxAvatarUrlLength)
    throw invalid('avatar_url', `must be at most ${maxAvatarUrlLength} characters`);
  if (!avatarUrl.isWellFormed() || /\p{Cc}/u.test(avatarUrl))
    throw invalid('avatar_url', 'must be text without control characters');
  return avatarUrl;
}

/** The object as stored text. @throws AppError argument_invalid */
function writeExtras(extras: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify(extras);
  if (Buffer.byteLength(text) > maxExtrasBytes)
    throw invalid('extras', `must be at most ${maxExtrasBytes} bytes of JSON`);
  return text;
}

function invalid(member: string, rule: string): AppError {
  const detail = `${member} ${rule}`;
  return new AppError('argument_invalid', { detail, problems: { [member]: detail } });
}
