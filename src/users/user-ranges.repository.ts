import { Injectable } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { Database } from '../database/database.js';
import { countKeyRange, type KeyRange, type KeyWalk, type OrderedIndex, readKeyRange } from '../database/key-range.js';
import { banStates } from './ban-history.repository.js';
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
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** The next users of a walk. Those with the same key are in order of registration. */
  async walk(appId: string, column: RangeColumn, walk: KeyWalk): Promise<User[]> {
    const rows = await readKeyRange<UserRow>(this.database, indexes[column], userColumns, appId, walk);
    const now = this.clock.now();
    return rows.map((row) => toUser(row, now));
  }

  /** How many users are in a range, up to `max`. */
  count(appId: string, column: RangeColumn, range: KeyRange, max: number): Promise<number> {
    return countKeyRange(this.database, indexes[column], appId, range, max);
  }

  /** How many users are stored as banned, up to `max`. */
  async countBanned(appId: string, max: number): Promise<number> {
    const index = this.database.dialect.forceIndex('bans_by_state');
    const [row] = await this.database.read<{ entries: number | string }>(
      `SELECT COUNT(*) AS entries FROM (SELECT 1 FROM bans${index} WHERE app_id = ? AND state = ? LIMIT ?) AS entry`,
      [appId, banStates.active, max],
      appId,
    );
    return Number(row?.entries ?? 0);
  }
}
