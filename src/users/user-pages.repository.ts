import { Injectable } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { breathe } from '../database/costly-reads.js';
import { Database, type SqlValue } from '../database/database.js';
import { PagePositions, type Position, strideRows } from './page-positions.js';
import { type SortableUser, SortedPage } from './sorted-page.js';
import { type IndexedColumn, isIndexed, type UserOrder } from './user-order.js';

export interface PageRange {
  /** How many users come before the page. */
  readonly offset: number;
  readonly limit: number;
  /** How many users the app has. */
  readonly total: number;
}

/** The first or the last user, whoever that is. */
interface End {
  readonly rank: number;
  readonly key: null;
  readonly countedAt: number;
}

interface PageRow {
  readonly username: string;
  readonly id: number;
}

/** Users read per statement to sort an app: a fraction of a millisecond on SQLite, and as long again to sort them. */
const sortedAtOnce = 250;

/** Which users are on a page. Every statement touches one app, and reads no more rows of the table than it must. */
@Injectable()
export class UserPagesRepository {
  private readonly positions = new PagePositions();

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** The names on a page. By id or username any page costs the same; other orders read every user of the app. */
  async usernamesAt(appId: string, order: UserOrder, { offset, total, ...range }: PageRange): Promise<string[]> {
    const limit = Math.min(range.limit, total - offset);
    if (limit <= 0) return [];
    const [first = { by: 'id', descending: true }] = order;
    if (!isIndexed(first.by)) {
      const page = new SortedPage(order, { offset, limit, total });
      await this.walkAll(appId, (users) => page.add(users));
      return page.usernames();
    }
    const { by, descending } = first;
    const names: string[] = [];
    for (let start = offset; start < offset + limit; start += strideRows) {
      const size = Math.min(strideRows, offset + limit - start);
      const low = descending ? total - start - size : start;
      const rows = await this.ranked(appId, by, { low, high: low + size - 1, last: total - 1, descending });
      names.push(...rows.map((row) => row.username));
      if (size === strideRows) await breathe();
    }
    return names;
  }

  /** The users whose name or nickname contains `text` in any case: the names on a page, and the total. */
  async search(
    appId: string,
    text: string,
    order: UserOrder,
    { offset, limit }: { offset: number; limit: number },
  ): Promise<{ usernames: string[]; total: number }> {
    const wanted = text.toLowerCase();
    const matches = ({ username, nickname }: SortableUser): boolean =>
      username.includes(wanted) || nickname?.toLowerCase().includes(wanted) === true;
    // The total is known only at the end, so the page is counted from the beginning of the list.
    const page = new SortedPage(order, { offset, limit, total: Infinity });
    let total = 0;
    await this.walkAll(appId, (users) => {
      const found = users.filter(matches);
      total += found.length;
      page.add(found);
    });
    return { usernames: page.usernames(), total };
  }

  private async walkAll(appId: string, take: (users: readonly SortableUser[]) => void): Promise<void> {
    for (let after: string | undefined = ''; after !== undefined;) {
      const users: SortableUser[] = await this.database.read<SortableUser>(
        'SELECT username, id, nickname, modified_at FROM users WHERE app_id = ? AND username > ?' +
          ' ORDER BY username LIMIT ?',
        [appId, after, sortedAtOnce],
        appId,
      );
      take(users);
      after = users.length === sortedAtOnce ? users.at(-1)?.username : undefined;
      await breathe();
    }
  }

  /**
   * The users ranked `low` to `high` in the ascending order of a column, the last user having the rank `last`; returned
   * in descending order on request.
   */
  private async ranked(
    appId: string,
    column: IndexedColumn,
    range: { low: number; high: number; last: number; descending: boolean },
  ): Promise<PageRow[]> {
    const { low, high, last, descending } = range;
    const limit = high - low + 1;
    const start = await this.nearby(appId, column, low, high, last, descending);
    // From below the page upwards, or from above it downwards.
    const upwards = start.key === null ? start.rank === 0 : start.rank <= low;
    const skip = upwards ? low - start.rank : start.rank - high;
    const rows = await this.walk(appId, column, start.key, upwards, limit, skip);
    const [lowest] = upwards ? rows : rows.slice(-1);
    if (lowest !== undefined && low > strideRows && last - low > strideRows)
      this.positions.remember(appId, column, { rank: low, key: lowest[column], countedAt: start.countedAt });
    return upwards === descending ? rows.reverse() : rows;
  }

  /** A position at most a stride away from the page: an end of the list, or one on the way there. */
  private async nearby(
    appId: string,
    column: IndexedColumn,
    low: number,
    high: number,
    last: number,
    descending: boolean,
  ): Promise<Position | End> {
    const countedAt = this.clock.monotonic();
    const ends: End[] = [
      { rank: 0, key: null, countedAt },
      { rank: last, key: null, countedAt },
    ];
    // If both ends are near, the one the caller counts from: the count may be slightly stale.
    if (descending) ends.reverse();
    const end = ends.find(({ rank }) => distance(rank, low, high) <= strideRows);
    if (end !== undefined) return end;
    const known = this.positions.nearest(appId, column, low, high, countedAt);
    let place: Position | End = [...ends, ...(known === null ? [] : [known])].reduce((best, one) =>
      distance(one.rank, low, high) < distance(best.rank, low, high) ? one : best,
    );
    while (distance(place.rank, low, high) > strideRows) {
      const upwards = place.rank < low;
      const [row] = await this.walk(appId, column, place.key, upwards, 1, strideRows);
      // The list has shrunk since it was counted.
      if (row === undefined) break;
      place = { ...place, rank: place.rank + (upwards ? strideRows : -strideRows), key: row[column] };
      this.positions.remember(appId, column, place);
      await breathe();
    }
    return place;
  }

  /** Index rows from a key on (null: from the end), after skipping `skip` of them: at most a stride. */
  private walk(
    appId: string,
    column: IndexedColumn,
    key: SqlValue,
    upwards: boolean,
    limit: number,
    skip: number,
  ): Promise<PageRow[]> {
    // Left alone, MariaDB scans the whole app instead of this index. The order by name is the table's own.
    const from = column === 'id' ? `users${this.database.dialect.forceIndex('users_by_id')}` : 'users';
    const bound = key === null ? '' : ` AND ${column} ${upwards ? '>=' : '<='} ?`;
    return this.database.read<PageRow>(
      `SELECT username, id FROM ${from} WHERE app_id = ?${bound}` +
        ` ORDER BY ${column} ${upwards ? 'ASC' : 'DESC'} LIMIT ? OFFSET ?`,
      [appId, ...(key === null ? [] : [key]), limit, Math.max(0, skip)],
      appId,
    );
  }
}

function distance(rank: number, low: number, high: number): number {
  return rank <= low ? low - rank : Math.max(0, rank - high);
}
