import type { UserOrder, UserOrderColumn } from './user-order.js';

/** The fields of a user that users can be ordered by. */
export interface SortableUser {
  readonly username: string;
  readonly id: number;
  readonly nickname: string | null;
  readonly modified_at: number;
}

/** A user with its sort keys: numbers, and strings that JavaScript orders as the databases do. */
interface Sortable {
  readonly username: string;
  readonly keys: readonly (string | number)[];
}

type Compare = (one: Sortable, other: Sortable) => number;

/**
 * Finds one page of all users in an order without an index, as they arrive in parts. A heap with the last user on top
 * keeps those that may be on the page or before it, counted from the nearer end of the list, so a user costs the same
 * wherever the page is.
 */
export class SortedPage {
  private readonly terms: UserOrder;
  private readonly compare: Compare;
  /** Counted from the end of the list that `compare` sorts first. */
  private readonly start: number;
  private readonly end: number;
  private readonly fromEnd: boolean;
  private readonly heap: Sortable[] = [];

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
    for (const user of users) {
      const one: Sortable = { username: user.username, keys: this.terms.map(({ by }) => keys[by](user)) };
      const last = this.heap[0];
      if (this.heap.length < this.end) this.raise(one);
      else if (last !== undefined && this.compare(one, last) < 0) this.lower(one);
    }
  }

  /** The names on the page, once every user has been added. */
  usernames(): string[] {
    const names: string[] = [];
    while (this.heap.length > this.start) {
      names.push((this.heap[0] as Sortable).username);
      const moved = this.heap.pop() as Sortable;
      if (this.heap.length > 0) this.lower(moved);
    }
    return this.fromEnd ? names : names.reverse();
  }

  /** Adds a user and sifts it up. */
  private raise(one: Sortable): void {
    let at = this.heap.length;
    this.heap.push(one);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.compare(one, this.heap[parent] as Sortable) <= 0) break;
      this.heap[at] = this.heap[parent] as Sortable;
      at = parent;
    }
    this.heap[at] = one;
  }

  /** Replaces the top and sifts the new one down. */
  private lower(one: Sortable): void {
    const { heap } = this;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && this.compare(heap[child + 1] as Sortable, heap[child] as Sortable) > 0) child += 1;
      if (this.compare(one, heap[child] as Sortable) >= 0) break;
      heap[at] = heap[child] as Sortable;
      at = child;
    }
    heap[at] = one;
  }
}

/** @param signs one per key: 1 for ascending, -1 for descending */
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
 * Databases order text by code points, JavaScript by UTF-16 units, which puts characters above U+FFFF before U+E000. So
 * the units of such characters swap places with those from U+E000 on.
 */
function textKey(text: string): string {
  if (!/[\ud800-\uffff]/.test(text)) return text;
  return text.replace(/[\ud800-\uffff]/g, (unit) => {
    const code = unit.charCodeAt(0);
    return String.fromCharCode(code < 0xe000 ? code + 0x2000 : code - 0x800);
  });
}
