import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.service.js';
import { Database, type Transaction } from '../database/database.js';
import { AppError } from '../errors/app-error.js';
import { TimeOrderedIds } from '../ids/time-ordered-ids.js';
import { type RemovalPortion, RemovalsService } from '../removals/removals.service.js';
import { targetOf } from '../users/user-audit.js';
import type { User } from '../users/user.js';
import { UsersService } from '../users/users.service.js';

/** A blocked user, and the position in the list. */
export interface Block {
  readonly blockedUuid: string;
  readonly id: number;
}

const columns = ['app_id', 'user_uuid', 'blocked_uuid', 'id'];

/** Blocks between users. A user's blocks change only while that user's row is locked. */
@Injectable()
export class BlocksRepository {
  constructor(
    private readonly database: Database,
    private readonly ids: TimeOrderedIds,
    private readonly users: UsersService,
    private readonly audit: AuditTrail,
    removals: RemovalsService,
  ) {
    removals.register('user', (portion) => this.removeLeftovers(portion));
  }

  /**
   * Blocks those who are not blocked yet. None of them can be deleted meanwhile.
   * @throws AppError user_not_found, block_limit_exceeded: then no one is blocked
   */
  add(user: User, blocked: readonly User[], maxBlocks: number): Promise<void> {
    const { appId } = user;
    return this.database.write(async (transaction) => {
      const held = await this.users.lockAllForUpdate(transaction, appId, [user, ...blocked]);
      const known = new Set(await this.blockedAmong(transaction, user, blocked));
      const added = blocked.filter(({ uuid }) => !known.has(uuid));
      if (added.length === 0) return;
      if ((await this.count(transaction, user)) + added.length > maxBlocks)
        throw new AppError('block_limit_exceeded', { limit: maxBlocks });
      const rows = added.map(({ uuid }) => ({
        app_id: appId,
        user_uuid: user.uuid,
        blocked_uuid: uuid,
        id: this.ids.next(),
      }));
      await transaction.insert('user_blocks', columns, rows);
      if (held.get(user.uuid)?.hasBlocks === false) await this.users.noteBlocks(transaction, user, true);
      const blockedNames = added.map(({ username }) => username);
      await this.audit.record(transaction, appId, [
        { action: 'user.block', ...targetOf(user), after: { blocked: blockedNames }, count: added.length },
      ]);
    }, appId);
  }

  /** Unblocks those who are blocked. @throws AppError user_not_found */
  remove(user: User, blocked: readonly User[]): Promise<void> {
    const { appId } = user;
    return this.database.write(async (transaction) => {
      await this.users.lockAllForUpdate(transaction, appId, [user]);
      const known = new Set(await this.blockedAmong(transaction, user, blocked));
      const gone = blocked.filter(({ uuid }) => known.has(uuid));
      if (gone.length === 0) return;
      const among = this.database.dialect.among('blocked_uuid', uuidsOf(gone));
      await transaction.run(`DELETE FROM user_blocks WHERE app_id = ? AND user_uuid = ? AND ${among.sql}`, [
        ...[appId, user.uuid],
        ...among.values,
      ]);
      const left = await transaction.read('SELECT id FROM user_blocks WHERE app_id = ? AND user_uuid = ? LIMIT 1', [
        ...[appId, user.uuid],
      ]);
      if (left.length === 0) await this.users.noteBlocks(transaction, user, false);
      const goneNames = gone.map(({ username }) => username);
      await this.audit.record(transaction, appId, [
        { action: 'user.unblock', ...targetOf(user), before: { blocked: goneNames }, count: gone.length },
      ]);
    }, appId);
  }

  /** Up to `limit` blocks before the id `beforeId`, newest first, without deleted users. */
  listBefore(user: User, beforeId: number, limit: number): Promise<Block[]> {
    const { selectInOrder, forceIndex } = this.database.dialect;
    return this.database.read<Block>(
      `${selectInOrder} b.blocked_uuid AS blockedUuid, b.id AS id` +
        ` FROM user_blocks b${forceIndex('user_blocks_by_id')} CROSS JOIN users u${forceIndex('users_by_uuid')}` +
        ' ON u.app_id = b.app_id AND u.uuid = b.blocked_uuid' +
        ' WHERE b.app_id = ? AND b.user_uuid = ? AND b.id < ? ORDER BY b.id DESC LIMIT ?',
      [user.appId, user.uuid, beforeId, limit],
      user.appId,
    );
  }

  /** The uuids of the given users that the user has blocked. */
  async blockedAmong(source: Pick<Transaction, 'read'> | null, user: User, some: readonly User[]): Promise<string[]> {
    if (some.length === 0) return [];
    const among = this.database.dialect.among('blocked_uuid', uuidsOf(some));
    const sql = `SELECT blocked_uuid FROM user_blocks WHERE app_id = ? AND user_uuid = ? AND ${among.sql}`;
    const values = [user.appId, user.uuid, ...among.values];
    const rows = await (source === null
      ? this.database.read<{ blocked_uuid: string }>(sql, values, user.appId)
      : source.read<{ blocked_uuid: string }>(sql, values));
    return rows.map((row) => row.blocked_uuid);
  }

  /** The given pairs of uuids (a user's and another's) where the user has blocked the other. */
  async pairsAmong(
    transaction: Transaction,
    appId: string,
    pairs: readonly (readonly [string, string])[],
  ): Promise<(readonly [string, string])[]> {
    if (pairs.length === 0) return [];
    const among = this.database.dialect.amongPairs(['user_uuid', 'blocked_uuid'], pairs);
    const rows = await transaction.read<{ user_uuid: string; blocked_uuid: string }>(
      `SELECT user_uuid, blocked_uuid FROM user_blocks WHERE app_id = ? AND ${among.sql}`,
      [appId, ...among.values],
    );
    return rows.map((row) => [row.user_uuid, row.blocked_uuid]);
  }

  /** The uuids of the users with these names, by name, as the transaction sees them. */
  async uuidsByName(
    transaction: Transaction,
    appId: string,
    usernames: readonly string[],
  ): Promise<Map<string, string>> {
    const among = this.database.dialect.among('username', usernames);
    const rows = await transaction.read<{ username: string; uuid: string }>(
      `SELECT username, uuid FROM users WHERE app_id = ? AND ${among.sql}`,
      [appId, ...among.values],
    );
    return new Map(rows.map((row) => [row.username, row.uuid]));
  }

  private async count(transaction: Transaction, user: User): Promise<number> {
    const { selectInOrder, forceIndex } = this.database.dialect;
    const [row] = await transaction.read<{ blocks: number | string }>(
      `${selectInOrder} COUNT(u.uuid) AS blocks FROM user_blocks b CROSS JOIN users u${forceIndex('users_by_uuid')}` +
        ' ON u.app_id = b.app_id AND u.uuid = b.blocked_uuid WHERE b.app_id = ? AND b.user_uuid = ?',
      [user.appId, user.uuid],
    );
    return Number(row?.blocks ?? 0);
  }

  /** Removes blocks by and of deleted users. */
  private async removeLeftovers({ transaction, appId, subjects, maxRows }: RemovalPortion): Promise<number> {
    const { among, amongPairs, forceIndex } = this.database.dialect;
    const by = among('user_uuid', subjects);
    const of = among('blocked_uuid', subjects);
    const read = (index: string, where: { sql: string; values: readonly (string | number | null)[] }, limit: number) =>
      transaction.read<{ user_uuid: string; blocked_uuid: string }>(
        `SELECT user_uuid, blocked_uuid FROM user_blocks${index} WHERE app_id = ? AND ${where.sql} LIMIT ?`,
        [appId, ...where.values, limit],
      );
    const found = await read('', by, maxRows);
    if (found.length < maxRows)
      found.push(...(await read(forceIndex('user_blocks_by_blocked'), of, maxRows - found.length)));
    if (found.length === 0) return 0;
    const pairs = found.map((row): [string, string] => [row.user_uuid, row.blocked_uuid]).sort();
    const gone = amongPairs(['user_uuid', 'blocked_uuid'], pairs);
    await transaction.run(`DELETE FROM user_blocks WHERE app_id = ? AND ${gone.sql}`, [appId, ...gone.values]);
    return found.length;
  }
}

function uuidsOf(users: readonly User[]): string[] {
  return users.map(({ uuid }) => uuid).sort();
}
