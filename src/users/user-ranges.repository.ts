import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { countKeyRange, type KeyRange, type KeyWalk, type OrderedIndex, readKeyRange } from '../database/key-range.js';
import type { User } from './user.js';
import type { UserRow } from './user.entity.js';
import { toUser, userColumns } from './user-row.js';

/** The columns of users that have an index to walk. Times are Unix milliseconds. */
export type RangeColumn = 'username' | 'nickname_key' | 'created_at';

const indexes: Record<RangeColumn, OrderedIndex> = {
  username: { table: 'users', name: null, key: 'username', tie: null },
  nickname_key: { table: 'users', name: 'users_by_nickname', key: 'nickname_key', tie: 'id' },
  created_at: { table: 'users', name: 'users_by_creation', key: 'created_at', tie: 'id' },
};

/** Users in the order of an index. Every statement touches one app. */
@Injectable()
export class UserRangesRepository {
  constructor(private readonly database: Database) {}

  /** The next users of a walk. Those with the same key are in order of registration. */
  async walk(appId: string, column: RangeColumn, walk: KeyWalk): Promise<User[]> {
    const rows = await readKeyRange<UserRow>(this.database, indexes[column], userColumns, appId, walk);
    return rows.map((row) => toUser(row));
  }

  /** How many users are in a range, up to `max`. */
  count(appId: string, column: RangeColumn, range: KeyRange, max: number): Promise<number> {
    return countKeyRange(this.database, indexes[column], appId, range, max);
  }
}
