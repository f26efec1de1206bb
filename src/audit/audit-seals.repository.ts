import { Injectable } from '@nestjs/common';
import { Database, UniqueViolation } from '../database/database.js';
import type { AuditSealRow } from './audit-seal.entity.js';

const columns = [
  ...(['app_id', 'number', 'from_at', 'to_at', 'entries', 'entries_hash', 'previous_hash', 'hash', 'pruned'] as const),
];

/** The seals of the audit trail. Every statement is about one app. */
@Injectable()
export class AuditSealsRepository {
  constructor(private readonly database: Database) {}

  async last(appId: string): Promise<AuditSealRow | null> {
    const [row] = await this.database.read<AuditSealRow>(
      `SELECT ${columns.join(', ')} FROM audit_seals WHERE app_id = ? ORDER BY number DESC LIMIT 1`,
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

  /** Whether the seal was added: false if another node has added one with its number. */
  async add(seal: AuditSealRow): Promise<boolean> {
    try {
      await this.database.write(
        (transaction) => transaction.insert('audit_seals', columns, [{ ...seal }]),
        seal.app_id,
      );
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
