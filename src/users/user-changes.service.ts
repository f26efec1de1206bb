import { randomBytes } from 'node:crypto';
import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { Database, type Transaction } from '../database/database.js';

/** By uuid: the last number of the user's inbox, or null: the user itself was changed or deleted. */
export type UserChanges = ReadonlyMap<string, number | null>;

interface Written {
  readonly appId: string;
  readonly id: string;
  /** Monotonic. */
  readonly at: number;
}

/** How long a change is there to be read; a node that has not read for half of it must look at everything. */
export const changesKeptMs = 60_000;
const clearEveryMs = 10_000;
/** Of more in a minute, the oldest are cleared away by those who read them. */
const maxRemembered = 100_000;
const rowsPerStatement = 500;

/**
 * The changes of the last minute that end sessions or bring them messages, one row for each transaction, written in it.
 * Nothing orders them, neither a clock nor a counter that writers would queue for: a reader takes all ids that are there
 * and knows those that it has met before. So a transaction that commits late is not missed, whatever the clocks say.
 */
@Injectable()
export class UserChangesService implements OnModuleInit, OnModuleDestroy {
  private written: Written[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** Not begun by the first change: that may be inside a unit of work, which the timer would then belong to. */
  onModuleInit(): void {
    this.timer = setInterval(() => void this.clearDue(), clearEveryMs).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /** Notes changes of up to 500 users in the transaction that makes them. */
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

  /** The ids of all changes that are there. @throws AppError database_unavailable */
  async listIds(appId: string): Promise<string[]> {
    const rows = await this.database.read<{ id: string }>(
      'SELECT id FROM user_changes WHERE app_id = ?',
      [appId],
      appId,
    );
    return rows.map((row) => row.id);
  }

  /** What these say together; those that are gone say nothing. @throws AppError database_unavailable */
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

  /** Clears changes away that everybody has read. @throws AppError database_unavailable */
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

  /** Clears away what this process wrote a minute ago, so that nodes do not meet over it. What fails is left to the readers. */
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
