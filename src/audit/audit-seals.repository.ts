import { Injectable } from '@nestjs/common';
import { Database, UniqueViolation } from '../database/database.js';
import type { AuditHead } from './audit-entries.repository.js';
import { termsOf } from './audit-terms.js';
import type { AuditSealRow } from './audit-seal.entity.js';

const columns = [
  ...(['app_id', 'number', 'from_at', 'to_at', 'entries', 'entries_hash', 'previous_hash', 'hash', 'pruned'] as const),
];

const termColumns = ['app_id', 'term', 'at', 'operation_id', 'seq'];
const rowsAtOnce = 500;

/** The seals of the audit trail. Every statement is about one app. */
@Injectable()
export class AuditSealsRepository {
  constructor(private readonly database: Database) {}

  async last(appId: string): Promise<AuditSealRow | null> {
    const [row] = await this.database.read<AuditSealRow>(
      `SELECT ${columns.join(', ')} FROM audit_seals WHERE app_id = ? AND number > 0 ORDER BY number DESC LIMIT 1`,
      [appId],
      appId,
    );
    return row ?? null;
  }

  /** Up to `limit` seals after the one with this number, in their order. */
  listAfter(appId: string, number: number, limit: number): Promise<AuditSealRow[]> {
    return this.database.read<AuditSealRow>(
      `SELECT ${columns.join(', ')} FROM audit_seals WHERE app_id = ? AND number > ? ORDER BY number LIMIT ?`,
      [appId, number, limit],
      appId,
    );
  }

  /**
   * Adds a seal, and the terms by which its entries are found. @returns false if another node has added one with its
   * number
   */
  async add(seal: AuditSealRow, entries: readonly AuditHead[]): Promise<boolean> {
    const terms = entries.flatMap((entry) =>
      termsOf(entry).map((term) => ({
        ...{ app_id: seal.app_id, term },
        ...{ at: entry.at, operation_id: entry.operation_id, seq: entry.seq },
      })),
    );
    // In the order of the key, which touches each page once.
    terms.sort((one, other) => (one.term < other.term ? -1 : one.term > other.term ? 1 : one.at - other.at));
    try {
      await this.database.write(async (transaction) => {
        await transaction.insert('audit_seals', columns, [{ ...seal }]);
        for (let start = 0; start < terms.length; start += rowsAtOnce)
          await transaction.insert('audit_terms', termColumns, terms.slice(start, start + rowsAtOnce));
      }, seal.app_id);
      return true;
    } catch (error) {
      if (error instanceof UniqueViolation) return false;
      throw error;
    }
  }

  /** Marks a seal whose entries are about to be removed, and removes those before it. */
  pruneUntil(appId: string, number: number): Promise<void> {
    return this.database.write(async (transaction) => {
      await transaction.run('UPDATE audit_seals SET pruned = 1 WHERE app_id = ? AND number = ?', [appId, number]);
      await transaction.run('DELETE FROM audit_seals WHERE app_id = ? AND number < ?', [appId, number]);
    }, appId);
  }
}
