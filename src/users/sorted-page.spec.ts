import fc from 'fast-check';
import { type SortableUser, SortedPage } from './sorted-page.js';
import type { UserOrder } from './user-order.js';

const users = fc.uniqueArray(
  fc.record({
    username: fc.string({ minLength: 1, maxLength: 4, unit: 'grapheme-ascii' }),
    id: fc.integer({ min: 1, max: 10_000 }),
    nickname: fc.option(fc.string({ maxLength: 3, unit: 'binary' }), { nil: null }),
    modified_at: fc.integer({ min: 1, max: 5 }),
  }),
  { selector: ({ id }) => id, maxLength: 60 },
);
const order: fc.Arbitrary<UserOrder> = fc.array(
  fc.record({ by: fc.constantFrom('displayName', 'modifiedAt', 'username'), descending: fc.boolean() }),
  { minLength: 1, maxLength: 3 },
);

const keyOf = { displayName: ({ nickname, username }: SortableUser) => Buffer.from(nickname ?? username) } as const;

/** As SQL has it: text byte by byte of UTF-8. */
function sorted(all: readonly SortableUser[], terms: UserOrder): SortableUser[] {
  return [...all].sort((one, other) => {
    for (const { by, descending } of terms) {
      const difference =
        by === 'displayName'
          ? Buffer.compare(keyOf.displayName(one), keyOf.displayName(other))
          : by === 'username'
            ? Buffer.compare(Buffer.from(one.username), Buffer.from(other.username))
            : one.modified_at - other.modified_at;
      if (difference !== 0) return descending ? -difference : difference;
    }
    return other.id - one.id;
  });
}

describe('SortedPage', () => {
  it('finds every page in every order, whatever chunks the users arrive in', () => {
    fc.assert(
      fc.property(
        users,
        order,
        fc.nat(70),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 20 }),
        (all, terms, offset, size, part) => {
          const limit = Math.min(size, all.length - offset);
          fc.pre(limit > 0);
          const page = new SortedPage(terms, { offset, limit, total: all.length });
          for (let start = 0; start < all.length; start += part) page.add(all.slice(start, start + part));
          const expected = sorted(all, terms).slice(offset, offset + limit);
          expect(page.usernames()).toEqual(expected.map(({ username }) => username));
        },
      ),
      { numRuns: 500 },
    );
  });
});
