import { Injectable } from '@nestjs/common';
import { Database, type SqlRow, type Transaction } from '../database/database.js';
import type { BulkItemRow } from './bulk-item.entity.js';
import { type BulkItem, type ItemResult, type Outcome, outcomes } from './bulk-operation.js';

/** Where a page of results begins: after this item. */
export interface ItemPosition {
  readonly outcome: number;
  readonly seq: number;
}

const columns = ['app_id', 'operation_id', 'seq', 'target', 'user_uuid', 'outcome', 'code'];
const selected = 'seq, target, user_uuid, outcome, code';
const rowsPerStatement = 250;

/** The items of operations. Every statement is about one operation of an app. */
@Injectable()
export class BulkItemsRepository {
  constructor(private readonly database: Database) {}

  async insert(
    transaction: Transaction,
    appId: string,
    operationId: number,
    items: readonly BulkItem[],
  ): Promise<void> {
    for (let start = 0; start < items.length; start += rowsPerStatement) {
      const rows = items.slice(start, start + rowsPerStatement).map((item) => toRow(appId, operationId, item));
      await transaction.insert('bulk_items', columns, rows);
    }
  }

  /** Up to `limit` items that are to be done next, in their order. */
  async listWaiting(transaction: Transaction, appId: string, operationId: number, limit: number): Promise<BulkItem[]> {
    const rows = await transaction.read<BulkItemRow>(
      `SELECT ${selected} FROM bulk_items${this.database.dialect.forceIndex('bulk_items_by_outcome')}` +
        ' WHERE app_id = ? AND operation_id = ? AND outcome = ? ORDER BY seq LIMIT ?',
      [appId, operationId, outcomes.indexOf('waiting'), limit],
    );
    return rows.map(toItem);
  }

  /** Up to `limit` items of this outcome or, without one, of all, after a place: failures first. */
  async listAfter(
    appId: string,
    operationId: number,
    outcome: Outcome | null,
    after: ItemPosition,
    limit: number,
  ): Promise<BulkItem[]> {
    const from = `SELECT ${selected} FROM bulk_items${this.database.dialect.forceIndex('bulk_items_by_outcome')}`;
    const found: BulkItem[] = [];
    const wanted = outcome === null ? outcomes : [outcome];
    for (const number of wanted.map((name) => outcomes.indexOf(name))) {
      if (number < after.outcome || found.length >= limit) continue;
      const rows = await this.database.read<BulkItemRow>(
        `${from} WHERE app_id = ? AND operation_id = ? AND outcome = ? AND seq > ? ORDER BY seq LIMIT ?`,
        [appId, operationId, number, number === after.outcome ? after.seq : -1, limit - found.length],
        appId,
      );
      found.push(...rows.map(toItem));
    }
    return found;
  }

  /** Where the items after this one begin, as text: `outcome.seq`. */
  positionOf({ outcome, seq }: BulkItem): string {
    return `${outcomes.indexOf(outcome)}.${seq}`;
  }

  /** Stores the results of items that are waiting, under the lock of the operation. */
  finish(
    transaction: Transaction,
    appId: string,
    operationId: number,
    results: ReadonlyMap<BulkItem, ItemResult>,
  ): Promise<void> {
    const rows = [...results].map(([item, result]) => toRow(appId, operationId, { ...item, ...result }));
    return transaction.updateRows('bulk_items', ['app_id', 'operation_id', 'seq'], ['outcome', 'code'], rows);
  }

  /** Deletes up to `limit` items. @returns how many were found */
  async deleteSome(transaction: Transaction, appId: string, operationId: number, limit: number): Promise<number> {
    const rows = await transaction.read<Pick<BulkItemRow, 'seq'>>(
      'SELECT seq FROM bulk_items WHERE app_id = ? AND operation_id = ? ORDER BY seq LIMIT ?',
      [appId, operationId, limit],
    );
    const last = rows.at(-1);
    if (last !== undefined)
      await transaction.run('DELETE FROM bulk_items WHERE app_id = ? AND operation_id = ? AND seq <= ?', [
        ...[appId, operationId, last.seq],
      ]);
    return rows.length;
  }
}

function toRow(appId: string, operationId: number, { seq, target, userUuid, outcome, code }: BulkItem): SqlRow {
  return {
    ...{ app_id: appId, operation_id: operationId, seq, target, user_uuid: userUuid },
    ...{ outcome: outcomes.indexOf(outcome), code },
  };
}

function toItem({ seq, target, user_uuid, outcome, code }: BulkItemRow): BulkItem {
  return { seq, target, userUuid: user_uuid, outcome: outcomes[outcome] ?? 'failed', code };
}
