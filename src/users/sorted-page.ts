import type { UserOrder, UserOrderColumn } from './user-order.js';

/** What users can be ordered by, of one user. */
export interface SortableUser {
  readonly username: string;
  readonly id: number;
  readonly nickname: string | null;
  readonly modified_at: number;
}

/** A user with what it is ordered by: numbers, and texts that JavaScript orders as the databases do. */
interface Sortable {
  readonly username: string;
  readonly keys: readonly (string | number)[];
}

type Compare = (one: Sortable, other: Sortable) => number;

/**
 * Finds one page of all users in an order that has no index, while they come in parts: it keeps those that may be on the
 * page or before it, counted from the nearer end of the list.
 */
export class SortedPage {
  private readonly terms: UserOrder;
  private readonly compare: Compare;
  /** Counted from the end of the list that `compare` puts first. */
  private readonly start: number;
  private readonly end: number;
  private readonly fromEnd: boolean;
  private first: Sortable[] = [];

  /** @param total how many users there are */
  constructor(order: UserOrder, { offset, limit, total }: { offset: number; limit: number; total: number }) {
    this.terms = [...order, { by: 'id', descending: true }];
    const after = Math.max(0, total - offset - limit);
    this.fromEnd = after < offset;
    this.start = this.fromEnd ? after : offset;
    this.end = this.fromEnd ? total - offset : offset + limit;
    this.compare = comparing(this.terms.map(({ descending }) => (descending === this.fromEnd ? 1 : -1)));
  }

  add(users: readonly SortableUser[]): void {
    const all = users.map((user) => ({ username: user.username, keys: this.terms.map(({ by }) => keys[by](user)) }));
    const last = this.first.length < this.end ? undefined : this.first.at(-1);
    const better = last === undefined ? all : all.filter((user) => this.compare(user, last) < 0);
    if (better.length > 0) this.first = this.merged(better.sort(this.compare));
  }

  /** The names on the page, once every user was added. */
  usernames(): string[] {
    const names = this.first.slice(this.start, this.end).map(({ username }) => username);
    return this.fromEnd ? names.reverse() : names;
  }

  /** With these, which are in order and far fewer. */
  private merged(better: readonly Sortable[]): Sortable[] {
    const all: Sortable[] = [];
    let from = 0;
    for (const user of better) {
      const at = this.placeOf(user, from);
      while (from < at) all.push(this.first[from++] as Sortable);
      all.push(user);
    }
    while (from < this.first.length && all.length < this.end) all.push(this.first[from++] as Sortable);
    all.length = Math.min(all.length, this.end);
    return all;
  }

  /** How many of the first come before this user, of whom the first `from` do. */
  private placeOf(user: Sortable, from: number): number {
    let [low, high] = [from, this.first.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.compare(this.first[middle] as Sortable, user) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** @param signs of each key: 1 for the lower first, -1 for the higher */
function comparing(signs: readonly number[]): Compare {
  return (one, other) => {
    for (let index = 0; index < signs.length; index += 1) {
      const left = one.keys[index] as string | number;
      const right = other.keys[index] as string | number;
      if (left !== right) return (left < right ? -1 : 1) * (signs[index] as number);
    }
    return 0;
  };
}

const keys: Readonly<Record<UserOrderColumn, (user: SortableUser) => string | number>> = {
  id: ({ id }) => id,
  username: ({ username }) => textKey(username),
  displayName: ({ nickname, username }) => textKey(nickname ?? username),
  modifiedAt: ({ modified_at }) => modified_at,
};

/**
 * The databases order text by code points; JavaScript by units of UTF-16, which puts what is above U+FFFF before U+E000.
 * So the units of such characters change places with those from U+E000 on.
 */
function textKey(text: string): string {
  if (!/[\ud800-\uffff]/.test(text)) return text;
  return text.replace(/[\ud800-\uffff]/g, (unit) => {
    const code = unit.charCodeAt(0);
    return String.fromCharCode(code < 0xe000 ? code + 0x2000 : code - 0x800);
  });
}
