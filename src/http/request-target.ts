/** What may not be the one spelling of its target. Most targets are, and cost only this look. */
const odd = /^[^/]|\/\/|\/(?:[?#]|$)|#/;

/**
 * Path and query of a request's target in their one spelling, so that routes, guards, limits and answers all mean the same
 * path: without the scheme and host of a whole address (RFC 9112, 3.2.2), without empty segments, which many clients write
 * (`/org/app/users/`, `//org/app//users`), without a fragment. `//host/…` is a path, and `%2F` part of a segment.
 */
export function canonicalTarget(target = '/'): string {
  if (!odd.test(target)) return target;
  const behindHost = target.startsWith('/') ? target : target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '');
  const [, path = '', query = ''] = /^([^?#]*)(\?[^#]*)?/.exec(behindHost) ?? [];
  return `/${segmentsOf(path).join('/')}${query}`;
}

/** Of a path, as they are written. */
export function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

/** Whether every `%` of the path begins a character: `%zz` and `%ff` do not. */
export function isDecodable(target: string): boolean {
  if (!target.includes('%')) return true;
  try {
    decodeURIComponent(target.split('?', 1)[0] as string);
    return true;
  } catch {
    return false;
  }
}
