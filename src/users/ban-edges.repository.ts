import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../database/database.js';

export const dueAppsAtOnce = 100;

/**
 * When bans next begin or end, by app: what a node asks instead of asking for each app. A row may be early but never
 * late, as it is written in the transaction of the ban.
 */
@Injectable()
export class BanEdgesRepository {
  constructor(private readonly database: Database) {}

  /** Records, in the transaction that writes a ban of this app, when it begins or ends. */
  async add(transaction: Transaction, appId: string, dueAt: number): Promise<void> {
    const { keepLowest } = this.database.dialect;
    await transaction.run(
      'INSERT INTO next_ban_edges (app_id, due_at, additions) VALUES (?, ?, ?)' +
        keepLowest('app_id', 'due_at', 'additions'),
      [appId, dueAt, 1],
    );
  }

  /** Apps where a ban begins or ends at this time, or should have. The only question that names no app. */
  async dueApps(nowMs: number): Promise<string[]> {
    const rows = await this.database.read<{ app_id: string }>(
      'SELECT app_id FROM next_ban_edges WHERE due_at <= ? LIMIT ?',
      [nowMs, dueAppsAtOnce],
    );
    return rows.map((row) => row.app_id);
  }

  /** Moves the app's row on to the next beginning or end; without one, the row goes. */
  advance(appId: string): Promise<void> {
    const { forUpdate, forceIndex } = this.database.dialect;
    return this.database.write(async (transaction) => {
      // Locked first: a ban committed by now is seen below, and any other waits and then adds its time again.
      const [row] = await transaction.read<{ due_at: number }>(
        `SELECT due_at FROM next_ban_edges WHERE app_id = ?${forUpdate}`,
        [appId],
      );
      if (row === undefined) return;
      const [next] = await transaction.read<{ due_at: number }>(
        `SELECT due_at FROM bans${forceIndex('bans_by_due_time')} WHERE app_id = ? AND due_at > 0 ORDER BY due_at LIMIT 1`,
        [appId],
      );
      if (next === undefined) await transaction.run('DELETE FROM next_ban_edges WHERE app_id = ?', [appId]);
      else if (next.due_at !== row.due_at)
        await transaction.run('UPDATE next_ban_edges SET due_at = ? WHERE app_id = ?', [next.due_at, appId]);
    }, appId);
  }
}
