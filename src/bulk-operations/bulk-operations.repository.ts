import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../database/database.js';
import type { BulkOperationRow } from './bulk-operation.entity.js';

const columns = [
  ...(['app_id', 'id', 'action', 'state', 'request', 'caller', 'undoes', 'collected_to', 'total', 'changed'] as const),
  ...(['unchanged', 'failed', 'created_at', 'finished_at', 'lease_owner', 'lease_until'] as const),
];
const select = `SELECT ${columns.join(', ')} FROM bulk_operations`;
const whereOne = 'WHERE app_id = ? AND id = ?';

export type Progress = Pick<
  BulkOperationRow,
  | 'state'
  | 'collected_to'
  | 'total'
  | 'changed'
  | 'unchanged'
  | 'failed'
  | 'finished_at'
  | 'lease_owner'
  | 'lease_until'
>;

/** Reads and changes operations; their items are in a repository of their own. Every statement is about one app. */
@Injectable()
export class BulkOperationsRepository {
  constructor(private readonly database: Database) {}

  /** @throws UniqueViolation if another operation undoes the same one */
  insert(transaction: Transaction, row: BulkOperationRow): Promise<void> {
    return transaction.insert('bulk_operations', columns, [{ ...row }]);
  }

  async find(appId: string, id: number): Promise<BulkOperationRow | null> {
    const [row] = await this.database.read<BulkOperationRow>(`${select} ${whereOne}`, [appId, id], appId);
    return row ?? null;
  }

  /** The operation, which nobody else changes until the transaction ends. Users are locked after it. */
  async lock(transaction: Transaction, appId: string, id: number): Promise<BulkOperationRow | null> {
    const [row] = await transaction.read<BulkOperationRow>(`${select} ${whereOne}${this.database.dialect.forUpdate}`, [
      appId,
      id,
    ]);
    return row ?? null;
  }

  /** Up to `limit` operations before the one with the id `beforeId`, newest first. */
  listBefore(appId: string, beforeId: number, limit: number): Promise<BulkOperationRow[]> {
    return this.database.read<BulkOperationRow>(
      `${select} WHERE app_id = ? AND id < ? ORDER BY id DESC LIMIT ?`,
      [appId, beforeId, limit],
      appId,
    );
  }

  /** Up to `limit` operations that are not finished, oldest first. */
  listUnfinished(appId: string, limit: number, source: Pick<Transaction, 'read'> = this.database) {
    return source.read<BulkOperationRow>(
      `${select}${this.database.dialect.forceIndex('bulk_operations_by_end')}` +
        ' WHERE app_id = ? AND finished_at = 0 ORDER BY id LIMIT ?',
      [appId, limit],
    );
  }

  /** Up to `limit` operations that were finished before the time `beforeMs`, in that order. */
  async listFinishedBefore(appId: string, beforeMs: number, limit: number): Promise<number[]> {
    const rows = await this.database.read<{ id: number }>(
      `SELECT id FROM bulk_operations${this.database.dialect.forceIndex('bulk_operations_by_end')}` +
        ' WHERE app_id = ? AND finished_at > 0 AND finished_at < ? ORDER BY finished_at, id LIMIT ?',
      [appId, beforeMs, limit],
      appId,
    );
    return rows.map(({ id }) => id);
  }

  /** Writes what has changed of a locked operation. */
  async save(transaction: Transaction, { app_id, id }: BulkOperationRow, progress: Partial<Progress>): Promise<void> {
    const names = Object.keys(progress);
    await transaction.run(`UPDATE bulk_operations SET ${names.map((name) => `${name} = ?`).join(', ')} ${whereOne}`, [
      ...Object.values(progress),
      app_id,
      id,
    ]);
  }

  async delete(transaction: Transaction, appId: string, id: number): Promise<void> {
    await transaction.run(`DELETE FROM bulk_operations ${whereOne}`, [appId, id]);
  }
}
