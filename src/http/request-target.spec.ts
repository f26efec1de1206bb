import fc from 'fast-check';
import { canonicalTarget, isDecodable } from './request-target.js';

describe('canonicalTarget', () => {
  it.each([
    [undefined, '/'],
    ['/', '/'],
    ['//', '/'],
    ['/a/b/users', '/a/b/users'],
    ['/a/b/users/', '/a/b/users'],
    ['/a/b/users//', '/a/b/users'],
    ['//a//b///users', '/a/b/users'],
    ['/a/b/users/?limit=2', '/a/b/users?limit=2'],
    ['/a/b/users?next=https://x//y/', '/a/b/users?next=https://x//y/'],
    ['/a//b/users?next=//x/', '/a/b/users?next=//x/'],
    ['/a/b/users/#top', '/a/b/users'],
    ['/a/b/users?x=1#top?y', '/a/b/users?x=1'],
    ['//evil.test/a/b/users', '/evil.test/a/b/users'],
    ['//evil.test', '/evil.test'],
    ['http://evil.test/a/b/users/', '/a/b/users'],
    ['http://evil.test//a/b', '/a/b'],
    ['http://evil.test', '/'],
    ['http://evil.test?x', '/?x'],
    ['*', '/*'],
    ['/a/b/users/x%2Fy', '/a/b/users/x%2Fy'],
    ['/a/b/users/%2F/', '/a/b/users/%2F'],
    ['/a/b%2F%2Fusers', '/a/b%2F%2Fusers'],
    ['/a/../b/./users', '/a/../b/./users'],
  ])('of %s is %s', (target, canonical) => expect(canonicalTarget(target)).toBe(canonical));

  it('is idempotent and keeps every segment', () => {
    const segment = fc.constantFrom('a', 'users', '..', '.', '%2F', '%', 'é', ':', 'http:');
    const path = fc.array(fc.oneof(segment, fc.constantFrom('', '')), { maxLength: 8 });
    fc.assert(
      fc.property(path, fc.constantFrom('', '?', '?a=//b/', '?/'), (segments, query) => {
        const canonical = canonicalTarget(`/${segments.join('/')}${query}`);
        expect(canonical).toBe(`/${segments.filter((one) => one !== '').join('/')}${query}`);
        expect(canonicalTarget(canonical)).toBe(canonical);
      }),
    );
  });
});

describe('isDecodable', () => {
  it.each(['/a/b', '/%2F%41', '/%C3%A9', '/a?%zz', '/a?x=%ff'])('%s: yes', (target) =>
    expect(isDecodable(target)).toBe(true),
  );
  it.each(['/%', '/%zz', '/a/%ff', '/a/%c0%af?x', '/%F0%9F'])('%s: no', (target) =>
    expect(isDecodable(target)).toBe(false),
  );
});
