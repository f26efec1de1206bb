import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { countKeyRange, type KeyRange, type KeyWalk, type OrderedIndex, readKeyRange } from '../database/key-range.js';
import { valueRows } from '../database/sql-dialect.js';
import type { User } from '../users/user.js';
import { UserEvents } from '../users/user-events.js';
import { UsersService } from '../users/users.service.js';
import type { UserLastSeenRow } from './user-last-seen.entity.js';

/** A user who was online at this time. */
export interface Seen {
  readonly uuid: string;
  readonly username: string;
  /** Unix milliseconds. */
  readonly at: number;
}

const columns = ['app_id', 'user_uuid', 'at'];
const byTime: OrderedIndex = {
  ...{ table: 'user_last_seen', name: 'user_last_seen_by_time' },
  ...{ key: 'at', tie: 'user_uuid' },
};

/** When users were last seen. Every statement touches one app. */
@Injectable()
export class LastSeenRepository {
  constructor(
    private readonly database: Database,
    private readonly users: UsersService,
    events: UserEvents,
  ) {
    events.onDeleteInTransaction(async (transaction, appId, deleted) => {
      const uuids = deleted.map(({ uuid }: User) => uuid).sort();
      const among = this.database.dialect.among('user_uuid', uuids);
      await transaction.run(`DELETE FROM user_last_seen WHERE app_id = ? AND ${among.sql}`, [appId, ...among.values]);
    });
  }

  /** When these users were last seen, by uuid, in one statement; those who never were are left out. */
  async findAll(appId: string, uuids: readonly string[]): Promise<Map<string, number>> {
    if (uuids.length === 0) return new Map();
    const among = this.database.dialect.among('user_uuid', [...new Set(uuids)].sort());
    const rows = await this.database.read<UserLastSeenRow>(
      `SELECT user_uuid, at FROM user_last_seen WHERE app_id = ? AND ${among.sql}`,
      [appId, ...among.values],
      appId,
    );
    return new Map(rows.map((row) => [row.user_uuid, row.at]));
  }

  /** The next users of a walk by time. */
  walk(appId: string, walk: KeyWalk<number>): Promise<Pick<UserLastSeenRow, 'user_uuid' | 'at'>[]> {
    return readKeyRange(this.database, byTime, ['user_uuid', 'at'], appId, walk);
  }

  /** How many users were last seen in a range, up to `max`. */
  count(appId: string, range: KeyRange<number>, max: number): Promise<number> {
    return countKeyRange(this.database, byTime, appId, range, max);
  }

  /**
   * Stores when these users, each named once, were seen, unless a later time is stored. Their rows are locked, so that
   * nothing is kept for a user who is being deleted.
   */
  store(appId: string, seen: readonly Seen[]): Promise<void> {
    return this.database.write(async (transaction) => {
      const names = seen.map(({ username }) => username);
      const there = new Set((await this.users.lockForUpdate(transaction, appId, names)).map(({ uuid }) => uuid));
      const rows = seen
        .filter(({ uuid }) => there.has(uuid))
        .sort((one, other) => (one.uuid < other.uuid ? -1 : 1))
        .map(({ uuid, at }) => [appId, uuid, at]);
      if (rows.length === 0) return;
      const ending = this.database.dialect.raiseExisting('app_id, user_uuid', 'at');
      await transaction.run(
        `INSERT INTO user_last_seen (${columns.join(', ')}) VALUES ${valueRows(rows.length, columns.length)}${ending}`,
        rows.flat(),
      );
    }, appId);
  }
}
