import { Injectable } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { Database, type Transaction } from '../database/database.js';
import { Gatherer } from '../database/gatherer.js';
import type { User } from './user.js';
import type { UserRow } from './user.entity.js';
import { toUser, userColumns } from './user-row.js';

const selectUsers = `SELECT ${userColumns.join(', ')} FROM users`;
/** More rows in one statement would block others for too long. */
const rowsPerRun = 500;

/** Questions about users. Every statement touches one app. */
@Injectable()
export class UsersRepository {
  private readonly byUsername = this.reader('username');
  private readonly byUuid = this.reader('uuid');

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  find(appId: string, username: string): Promise<User | null> {
    return this.byUsername.add(appId, username);
  }

  findByUuid(appId: string, uuid: string): Promise<User | null> {
    return this.byUuid.add(appId, uuid);
  }

  /** Not gathered with other look-ups, so that a sweep over many users delays no caller. */
  async findAllByUuid(appId: string, uuids: readonly string[]): Promise<ReadonlyMap<string, User>> {
    if (uuids.length === 0) return new Map();
    const among = this.database.dialect.among('uuid', uuids);
    const rows = await this.database.read<UserRow>(
      `${this.selectBy('uuid')} WHERE app_id = ? AND ${among.sql}`,
      [appId, ...among.values],
      appId,
    );
    return new Map(this.toUsers(rows).map((user) => [user.uuid, user]));
  }

  /** Up to `limit` users in order of registration, after the user with the id `afterId`. */
  async listAfter(appId: string, afterId: number, limit: number): Promise<User[]> {
    // Left alone, MariaDB scans the whole app instead of this index.
    const from = `${selectUsers}${this.database.dialect.forceIndex('users_by_id')}`;
    const rows = await this.database.read<UserRow>(
      `${from} WHERE app_id = ? AND id > ? ORDER BY id LIMIT ?`,
      [appId, afterId, limit],
      appId,
    );
    return this.toUsers(rows);
  }

  async count(appId: string): Promise<number> {
    const [row] = await this.database.read<{ users: number | string | null }>(
      'SELECT SUM(users) AS users FROM user_counts WHERE app_id = ?',
      [appId],
      appId,
    );
    return Number(row?.users ?? 0);
  }

  /** The users with these folded names, in their order; unknown names are left out. */
  async findAll(appId: string, usernames: readonly string[]): Promise<User[]> {
    const users: User[] = [];
    for (let start = 0; start < usernames.length; start += rowsPerRun) {
      const some = await this.byUsername.addAll(appId, usernames.slice(start, start + rowsPerRun));
      users.push(...some.filter((user) => user !== null));
    }
    return users;
  }

  /** The users with these names, locked against change and deletion until this transaction ends. */
  async lockForUpdate(transaction: Transaction, appId: string, usernames: readonly string[]): Promise<User[]> {
    if (usernames.length === 0) return [];
    const { among, forUpdate } = this.database.dialect;
    const names = among('username', [...usernames].sort());
    const rows = await transaction.read<UserRow>(`${selectUsers} WHERE app_id = ? AND ${names.sql}${forUpdate}`, [
      appId,
      ...names.values,
    ]);
    return this.toUsers(rows);
  }

  private toUsers(rows: readonly UserRow[]): User[] {
    const now = this.clock.now();
    return rows.map((row) => toUser(row, now));
  }

  private reader(column: 'username' | 'uuid'): Gatherer<string, User | null> {
    return new Gatherer(
      async (appId, keys) => {
        const among = this.database.dialect.among(column, keys);
        const rows = await this.database.read<UserRow>(
          `${this.selectBy(column)} WHERE app_id = ? AND ${among.sql}`,
          [appId, ...among.values],
          appId,
        );
        const users = new Map(this.toUsers(rows).map((user) => [user[column], user]));
        return keys.map((key) => users.get(key) ?? null);
      },
      { rows: rowsPerRun, runs: 2 },
    );
  }

  /** Left alone, SQLite prefers the app, the first column of the primary key, to the index by uuid. */
  private selectBy(column: 'username' | 'uuid'): string {
    return column === 'uuid' ? `${selectUsers}${this.database.dialect.forceIndex('users_by_uuid')}` : selectUsers;
  }
}
