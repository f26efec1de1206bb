import { Injectable } from '@nestjs/common';
import { Database, type SqlRow, type Transaction } from '../database/database.js';
import { type RemovalPortion, RemovalsService } from '../removals/removals.service.js';

export type ActivationLine = SqlRow & { readonly user_uuid: string; readonly id: number };

/** The history of bans and unbans. Every statement touches one app. */
@Injectable()
export class UserActivationsRepository {
  constructor(
    private readonly database: Database,
    removals: RemovalsService,
  ) {
    removals.register('user', (portion) => this.removeLeftovers(portion));
  }

  /**
   * Appends entries to the history, in the transaction that makes the changes. An id is raised if a node whose clock is
   * ahead has drawn a later one, so that a user's entries are in the order of the changes.
   */
  async add(transaction: Transaction, appId: string, lines: readonly ActivationLine[]): Promise<void> {
    if (lines.length === 0) return;
    const among = this.database.dialect.among('user_uuid', [...new Set(lines.map((line) => line.user_uuid))]);
    const newest = await transaction.read<{ user_uuid: string; id: number }>(
      `SELECT user_uuid, MAX(id) AS id FROM user_activations WHERE app_id = ? AND ${among.sql} GROUP BY user_uuid`,
      [appId, ...among.values],
    );
    const lastIds = new Map(newest.map((row) => [row.user_uuid, row.id]));
    const rows = lines.map((line) => {
      const id = Math.max(line.id, (lastIds.get(line.user_uuid) ?? 0) + 1);
      lastIds.set(line.user_uuid, id);
      return { ...line, id };
    });
    await transaction.insert('user_activations', Object.keys(rows[0] as ActivationLine), rows);
  }

  private async removeLeftovers({ transaction, appId, subjects, maxRows }: RemovalPortion): Promise<number> {
    const among = this.database.dialect.among('user_uuid', subjects);
    const lines = await transaction.read<{ user_uuid: string; id: number }>(
      `SELECT user_uuid, id FROM user_activations WHERE app_id = ? AND ${among.sql} ORDER BY user_uuid, id LIMIT ?`,
      [appId, ...among.values, maxRows],
    );
    for (const [uuid, lastId] of new Map(lines.map((line) => [line.user_uuid, line.id])))
      await transaction.run('DELETE FROM user_activations WHERE app_id = ? AND user_uuid = ? AND id <= ?', [
        appId,
        uuid,
        lastId,
      ]);
    return lines.length;
  }
}
