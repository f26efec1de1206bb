import { createHash, type Hash } from 'node:crypto';
import { auditColumns } from './audit-entries.repository.js';
import type { AuditEntryRow } from './audit-entry.entity.js';
import type { AuditSealRow } from './audit-seal.entity.js';

/** The hash of entries that are added in the order of time, operation and number. */
export class EntriesHash {
  count = 0;
  private readonly hash: Hash = createHash('sha256');

  add(row: AuditEntryRow): void {
    this.count += 1;
    // JSON, so that no two entries have the same text.
    this.hash.update(`${JSON.stringify(auditColumns.map((column) => row[column]))}\n`);
  }

  digest(): string {
    return this.hash.digest('base64url');
  }
}

/** The hash of a seal; whether its entries were pruned is not a part of it. */
export function sealHash(seal: Omit<AuditSealRow, 'hash' | 'pruned'>): string {
  const { app_id, number, from_at, to_at, entries, entries_hash, previous_hash } = seal;
  const text = JSON.stringify([app_id, number, from_at, to_at, entries, entries_hash, previous_hash]);
  return createHash('sha256').update(text).digest('base64url');
}
