/** Matches whatever may not be canonical. Most targets are, and cost only this check. */
const odd = /^[^/]|\/\/|\/(?:[?#]|$)|#/;

/**
 * Path and query of a request in canonical form, so that routes, guards, limits and answers all see the same path:
 * without the scheme and host of an absolute URL (RFC 9112, 3.2.2), without empty segments, which many clients write
 * (`/org/app/users/`, `//org/app//users`), without a fragment. `//host/…` is a path, and `%2F` part of a segment.
 */
export function canonicalTarget(target = '/'): string {
  if (!odd.test(target)) return target;
  const behindHost = target.startsWith('/') ? target : target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '');
  const [, path = '', query = ''] = /^([^?#]*)(\?[^#]*)?/.exec(behindHost) ?? [];
  return `/${segmentsOf(path).join('/')}${query}`;
}

/** The segments of a path, as they are written. */
export function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

/** Whether every `%` in the path is part of a valid character: `%zz` and `%ff` are not. */
export function isDecodable(target: string): boolean {
  if (!target.includes('%')) return true;
  try {
    decodeURIComponent(target.split('?', 1)[0] as string);
    return true;
  } catch {
    return false;
  }
}
