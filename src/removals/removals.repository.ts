import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../database/database.js';
import type { RemovalRow } from './removal.entity.js';

export type Removal = Pick<RemovalRow, 'kind' | 'subject' | 'portions'>;

const columns = ['app_id', 'kind', 'subject', 'portions'];
const whereOne = 'WHERE app_id = ? AND kind = ? AND subject = ?';

/** Unfinished removals. Every statement touches one app. */
@Injectable()
export class RemovalsRepository {
  constructor(private readonly database: Database) {}

  async insert(transaction: Transaction, appId: string, removals: readonly Removal[]): Promise<void> {
    const rows = removals.map((removal) => ({ app_id: appId, ...removal }));
    await transaction.insert('removals', columns, rows);
  }

  /** Up to `limit` of an app. */
  list(appId: string, limit: number): Promise<Removal[]> {
    return this.database.read<Removal>(
      'SELECT kind, subject, portions FROM removals WHERE app_id = ? ORDER BY kind, subject LIMIT ?',
      [appId, limit],
    );
  }

  /**
   * Runs `remove`, which returns whether nothing is left, in a transaction that locks the removal.
   * @returns the result of `remove`; also true if another node has finished the removal
   */
  workOn(
    appId: string,
    { kind, subject }: Removal,
    remove: (transaction: Transaction) => Promise<boolean>,
  ): Promise<boolean> {
    const values = [appId, kind, subject];
    return this.database.write(async (transaction) => {
      const [row] = await transaction.read<Removal>(
        `SELECT portions FROM removals ${whereOne}${this.database.dialect.forUpdate}`,
        values,
      );
      if (row === undefined) return true;
      const done = await remove(transaction);
      await transaction.run(
        done ? `DELETE FROM removals ${whereOne}` : `UPDATE removals SET portions = portions + 1 ${whereOne}`,
        values,
      );
      return done;
    });
  }
}
