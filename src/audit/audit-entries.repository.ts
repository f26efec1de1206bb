import { Injectable } from '@nestjs/common';
import { Database, type SqlValue } from '../database/database.js';
import type { AuditEntryRow } from './audit-entry.entity.js';

export const auditColumns = [
  ...(['app_id', 'operation_id', 'seq', 'at', 'actor', 'address', 'request_id', 'action', 'target'] as const),
  ...(['target_uuid', 'outcome', 'reason', 'old_values', 'new_values', 'changed'] as const),
];

/** The place of an entry in the order of time. */
export type AuditPosition = Pick<AuditEntryRow, 'at' | 'operation_id' | 'seq'>;

/** An entry without its values, which may be long. */
export type AuditHead = AuditPosition & Pick<AuditEntryRow, 'target' | 'actor' | 'action'>;

/** One condition has an index; without any, the order of time is one. */
export interface IndexedCondition {
  readonly column: 'target' | 'actor' | 'action';
  readonly value: string;
}

const heads = 'at, operation_id, seq, target, actor, action';

/** Reads entries, and removes old ones. Every statement is about one app. */
@Injectable()
export class AuditEntriesRepository {
  constructor(private readonly database: Database) {}

  /** Up to `limit` entries before a place and not before the time `fromMs`, newest first. */
  listBefore(
    appId: string,
    condition: IndexedCondition | null,
    before: AuditPosition,
    fromMs: number,
    limit: number,
  ): Promise<AuditHead[]> {
    const index = this.database.dialect.forceIndex(`audit_entries_by_${condition?.column ?? 'time'}`);
    const { at, operation_id, seq } = before;
    return this.database.read<AuditHead>(
      `SELECT ${heads} FROM audit_entries${index} WHERE app_id = ?` +
        (condition === null ? '' : ` AND ${condition.column} = ?`) +
        ' AND at >= ? AND at <= ? AND (at < ? OR operation_id < ? OR (operation_id = ? AND seq < ?))' +
        ' ORDER BY at DESC, operation_id DESC, seq DESC LIMIT ?',
      [appId, ...(condition === null ? [] : [condition.value]), fromMs, at, at, operation_id, operation_id, seq, limit],
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
  async findAll(appId: string, positions: readonly AuditPosition[]): Promise<AuditEntryRow[]> {
    if (positions.length === 0) return [];
    const pairs = positions.map(({ operation_id, seq }): [SqlValue, SqlValue] => [operation_id, seq]);
    const among = this.database.dialect.amongPairs(['operation_id', 'seq'], pairs);
    const rows = await this.database.read<AuditEntryRow>(
      `SELECT ${auditColumns.join(', ')} FROM audit_entries WHERE app_id = ? AND ${among.sql}`,
      [appId, ...among.values],
      appId,
    );
    const found = new Map(rows.map((row) => [`${row.operation_id} ${row.seq}`, row]));
    return positions.flatMap(({ operation_id, seq }) => found.get(`${operation_id} ${seq}`) ?? []);
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
    const { forceIndex, forceIndexToChange } = this.database.dialect;
    const due = await this.database.read<{ at: number }>(
      `SELECT at FROM audit_entries${forceIndex('audit_entries_by_time')}` +
        ' WHERE app_id = ? AND at <= ? ORDER BY at LIMIT ?',
      [appId, toMs, limit],
      appId,
    );
    const last = due.at(-1);
    if (last === undefined) return 0;
    await this.database.write(
      (transaction) =>
        transaction.run(
          `DELETE FROM audit_entries${forceIndexToChange('audit_entries_by_time')} WHERE app_id = ? AND at <= ?`,
          [appId, last.at],
        ),
      appId,
    );
    return due.length;
  }
}
