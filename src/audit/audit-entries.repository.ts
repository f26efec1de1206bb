import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import type { AuditEntryRow } from './audit-entry.entity.js';
import { termsOf } from './audit-terms.js';

export const auditColumns = [
  ...(['app_id', 'operation_id', 'seq', 'at', 'actor', 'address', 'request_id', 'action', 'target'] as const),
  ...(['target_uuid', 'outcome', 'reason', 'old_values', 'new_values', 'changed'] as const),
];

/** The place of an entry in the order of time. */
export type AuditPosition = Pick<AuditEntryRow, 'at' | 'operation_id' | 'seq'>;

/** An entry without its values, which may be long. */
export type AuditHead = AuditPosition & Pick<AuditEntryRow, 'target' | 'actor' | 'action'>;

const foundAtOnce = 100;
/** Transactions of a millisecond hold a few hundred entries at most. */
const maxSameMs = 10_000;
const heads = ['at', 'operation_id', 'seq', 'target', 'actor', 'action'] as const;
const isBefore =
  'at <= ? AND (at < ? OR operation_id < ? OR (operation_id = ? AND seq < ?))' +
  ' ORDER BY at DESC, operation_id DESC, seq DESC LIMIT ?';

/** Reads entries, and removes old ones. Every statement is about one app. */
@Injectable()
export class AuditEntriesRepository {
  constructor(private readonly database: Database) {}

  /** Up to `limit` entries before a place and later than the time `afterMs`, newest first. */
  listBefore(appId: string, before: AuditPosition, afterMs: number, limit: number): Promise<AuditHead[]> {
    const { at, operation_id, seq } = before;
    return this.database.read<AuditHead>(
      `SELECT ${heads.join(', ')} FROM audit_entries${this.database.dialect.forceIndex('audit_entries_by_time')}` +
        ` WHERE app_id = ? AND at > ? AND ${isBefore}`,
      [appId, afterMs, at, at, operation_id, operation_id, seq, limit],
      appId,
    );
  }

  /** As `listBefore`, for the sealed entries of a term. */
  async listOfTerm(
    appId: string,
    term: string,
    before: AuditPosition,
    afterMs: number,
    limit: number,
  ): Promise<AuditPosition[]> {
    const { at, operation_id, seq } = before;
    return this.database.read<AuditPosition>(
      `SELECT at, operation_id, seq FROM audit_terms WHERE app_id = ? AND term = ? AND at > ? AND ${isBefore}`,
      [appId, term, afterMs, at, at, operation_id, operation_id, seq, limit],
      appId,
    );
  }

  /** Up to `limit` entries after a place and not after the time `toMs`, oldest first. */
  listAfter(appId: string, after: AuditPosition, toMs: number, limit: number): Promise<AuditEntryRow[]> {
    const { at, operation_id, seq } = after;
    return this.database.read<AuditEntryRow>(
      `SELECT ${auditColumns.join(', ')} FROM audit_entries${this.database.dialect.forceIndex('audit_entries_by_time')}` +
        ' WHERE app_id = ? AND at >= ? AND at <= ? AND (at > ? OR operation_id > ? OR (operation_id = ? AND seq > ?))' +
        ' ORDER BY at, operation_id, seq LIMIT ?',
      [appId, at, toMs, at, operation_id, operation_id, seq, limit],
      appId,
    );
  }

  /** These entries, in their order; those removed since are left out. */
  findAll(appId: string, positions: readonly AuditPosition[]): Promise<AuditEntryRow[]> {
    return this.find<AuditEntryRow>(auditColumns, appId, positions);
  }

  /** The same without the values. */
  findHeads(appId: string, positions: readonly AuditPosition[]): Promise<AuditHead[]> {
    return this.find<AuditHead>(heads, appId, positions);
  }

  /** The entries of an operation, in the order in which they were recorded: up to `limit` after the number `afterSeq`. */
  ofOperation(appId: string, operationId: number, afterSeq: number, limit: number): Promise<AuditEntryRow[]> {
    return this.database.read<AuditEntryRow>(
      `SELECT ${auditColumns.join(', ')} FROM audit_entries` +
        ' WHERE app_id = ? AND operation_id = ? AND seq > ? ORDER BY seq LIMIT ?',
      [appId, operationId, afterSeq, limit],
      appId,
    );
  }

  /** Removes about `limit` of the entries not after the time `toMs`, oldest first. @returns how many were found */
  async removeUntil(appId: string, toMs: number, limit: number): Promise<number> {
    const { among, forceIndex } = this.database.dialect;
    const due = await this.database.read<AuditHead>(
      `SELECT ${heads.join(', ')} FROM audit_entries${forceIndex('audit_entries_by_time')}` +
        ' WHERE app_id = ? AND at <= ? ORDER BY at LIMIT ?',
      [appId, toMs, limit],
      appId,
    );
    const lastMs = due.at(-1)?.at;
    if (lastMs === undefined) return 0;
    // All of that millisecond, or the terms of those beyond the limit would stay.
    const place = { at: lastMs + 1, operation_id: 0, seq: 0 };
    const same = due.length < limit ? [] : await this.listBefore(appId, place, lastMs - 1, maxSameMs);
    const all = [...due, ...same];
    const terms = among('term', [...new Set(all.flatMap(termsOf))].sort());
    const operations = among('operation_id', [...new Set(all.map((head) => head.operation_id))].sort(byValue));
    await this.database.write(async (transaction) => {
      await transaction.run(`DELETE FROM audit_terms WHERE app_id = ? AND ${terms.sql} AND at <= ?`, [
        ...[appId, ...terms.values, lastMs],
      ]);
      await transaction.run(`DELETE FROM audit_entries WHERE app_id = ? AND ${operations.sql} AND at <= ?`, [
        ...[appId, ...operations.values, lastMs],
      ]);
    }, appId);
    return due.length;
  }

  private async find<Row extends AuditPosition>(
    columns: readonly string[],
    appId: string,
    positions: readonly AuditPosition[],
  ): Promise<Row[]> {
    const found = new Map<string, Row>();
    for (let start = 0; start < positions.length; start += foundAtOnce) {
      const some = positions.slice(start, start + foundAtOnce);
      const { among } = this.database.dialect;
      // May find a few more: entries with the operation of one and the number of another.
      const operations = among('operation_id', [...new Set(some.map(({ operation_id }) => operation_id))]);
      const numbers = among('seq', [...new Set(some.map(({ seq }) => seq))]);
      const rows = await this.database.read<Row>(
        `SELECT ${columns.join(', ')} FROM audit_entries WHERE app_id = ? AND ${operations.sql} AND ${numbers.sql}`,
        [appId, ...operations.values, ...numbers.values],
        appId,
      );
      for (const row of rows) found.set(`${row.operation_id} ${row.seq}`, row);
    }
    return positions.flatMap(({ operation_id, seq }) => found.get(`${operation_id} ${seq}`) ?? []);
  }
}

function byValue(one: number, other: number): number {
  return one - other;
}
