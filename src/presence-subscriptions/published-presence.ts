import { AppError } from '../errors/app-error.js';

/** What a user publishes about one device. */
export interface PublishedPresence {
  /** The device as the gateway names it (`{platform}_{device}`), or another name chosen by the app. */
  readonly resource: string;
  /** `0` for offline, `1` for online, anything else is up to the app. */
  readonly status: string;
  readonly ext: string;
}

/** In UTF-8; the vendor's limit. */
export const maxExtBytes = 1_024;
/** Beyond this the oldest statuses are dropped; as many as a user may have devices. */
const maxStatuses = 32;
const legalResource = /^[A-Za-z0-9._~:-]+(_[A-Za-z0-9._~:-]+)*$/;
const maxResourceLength = 81;
const legalStatus = /^[A-Za-z0-9_-]{1,32}$/;

/** @throws AppError presence_resource_illegal, presence_status_illegal, presence_ext_too_large, argument_invalid */
export function checkPublished({ resource, status, ext }: PublishedPresence): void {
  if (resource.length > maxResourceLength || !legalResource.test(resource))
    throw new AppError('presence_resource_illegal', { detail: resource });
  if (!legalStatus.test(status)) throw new AppError('presence_status_illegal', { detail: status });
  if (Buffer.byteLength(ext) > maxExtBytes) throw new AppError('presence_ext_too_large', { limit: maxExtBytes });
  // The database would store something else instead.
  if (!ext.isWellFormed() || ext.includes('\0'))
    throw new AppError('argument_invalid', { detail: 'ext must be well-formed Unicode text' });
}

/** The published statuses with a new one added last. */
export function withStatus(
  statuses: Readonly<Record<string, string>>,
  { resource, status }: Pick<PublishedPresence, 'resource' | 'status'>,
): Record<string, string> {
  const others = Object.entries(statuses).filter(([name]) => name !== resource);
  return Object.fromEntries([...others, [resource, status] as const].slice(-maxStatuses));
}

export function withoutStatus(statuses: Readonly<Record<string, string>>, resource: string): Record<string, string> {
  return Object.fromEntries(Object.entries(statuses).filter(([name]) => name !== resource));
}
