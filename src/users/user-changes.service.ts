import { randomBytes } from 'node:crypto';
import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { Database, type Transaction } from '../database/database.js';

/** By uuid: the last number of the user's inbox, or null if the user itself was changed or deleted. */
export type UserChanges = ReadonlyMap<string, number | null>;

interface Written {
  readonly appId: string;
  readonly id: string;
  /** Monotonic. */
  readonly at: number;
}

/** How long a change can be read; a node that has not read for half of it must check everything. */
export const changesKeptMs = 60_000;
const clearEveryMs = 10_000;
/** If there are more in a minute, readers clear the oldest. */
const maxRemembered = 100_000;
const rowsPerStatement = 500;

/**
 * The changes of the last minute that end sessions or bring them messages, one row per transaction, written in it. They
 * are not ordered, neither by a clock nor by a counter that writers would queue for: a reader fetches all ids and knows
 * those it has seen. So a transaction that commits late is not missed, whatever the clocks say.
 */
@Injectable()
export class UserChangesService implements OnModuleInit, OnModuleDestroy {
  private written: Written[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** Not started by the first change: that may be inside a unit of work, which the timer would then belong to. */
  onModuleInit(): void {
    this.timer = setInterval(() => void this.clearDue(), clearEveryMs).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /** Records changes of up to 500 users in the transaction that makes them. */
  async add(transaction: Transaction, appId: string, changes: UserChanges): Promise<void> {
    if (changes.size === 0) return;
    const id = randomBytes(16).toString('base64url');
    await transaction.insert(
      'user_changes',
      ['app_id', 'id', 'users'],
      [{ app_id: appId, id, users: JSON.stringify(Object.fromEntries(changes)) }],
    );
    this.written.push({ appId, id, at: this.clock.monotonic() });
    if (this.written.length > maxRemembered) this.written.splice(0, maxRemembered / 2);
  }

  /** The ids of all stored changes. @throws AppError database_unavailable */
  async listIds(appId: string): Promise<string[]> {
    const rows = await this.database.read<{ id: string }>(
      'SELECT id FROM user_changes WHERE app_id = ?',
      [appId],
      appId,
    );
    return rows.map((row) => row.id);
  }

  /** The changes with these ids; cleared ones are left out. @throws AppError database_unavailable */
  async find(appId: string, ids: readonly string[]): Promise<UserChanges[]> {
    const found: UserChanges[] = [];
    for (let start = 0; start < ids.length; start += rowsPerStatement) {
      const among = this.database.dialect.among('id', ids.slice(start, start + rowsPerStatement));
      const rows = await this.database.read<{ users: string }>(
        `SELECT users FROM user_changes WHERE app_id = ? AND ${among.sql}`,
        [appId, ...among.values],
        appId,
      );
      for (const { users } of rows)
        found.push(new Map(Object.entries(JSON.parse(users) as Record<string, number | null>)));
    }
    return found;
  }

  /** Clears changes that every node has read. @throws AppError database_unavailable */
  async clear(appId: string, ids: readonly string[]): Promise<void> {
    for (let start = 0; start < ids.length; start += rowsPerStatement) {
      const among = this.database.dialect.among('id', [...ids.slice(start, start + rowsPerStatement)].sort());
      await this.database.write(
        (transaction) =>
          transaction.run(`DELETE FROM user_changes WHERE app_id = ? AND ${among.sql}`, [appId, ...among.values]),
        appId,
      );
    }
  }

  /** Clears what this process wrote a minute ago, so that nodes don't contend for it. Readers clear what is left. */
  async clearDue(): Promise<void> {
    const before = this.clock.monotonic() - changesKeptMs;
    const firstKept = this.written.findIndex(({ at }) => at > before);
    const due = this.written.splice(0, firstKept === -1 ? this.written.length : firstKept);
    const ofApp = new Map<string, string[]>();
    for (const { appId, id } of due) {
      const ids = ofApp.get(appId);
      if (ids === undefined) ofApp.set(appId, [id]);
      else ids.push(id);
    }
    for (const [appId, ids] of ofApp) await this.clear(appId, ids).catch(() => undefined);
  }
}
