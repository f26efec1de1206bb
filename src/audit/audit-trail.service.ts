import { Injectable } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { Database, type SqlRow, type Transaction } from '../database/database.js';
import { TimeOrderedIds } from '../ids/time-ordered-ids.js';
import { auditColumns } from './audit-entries.repository.js';
import { type AuditEntry, writeReason, writeTarget, writeValues } from './audit-entry.js';
import { type Caller, localCaller } from './caller.js';
import { currentOperation, Operation } from './operation.js';

/** A change, and the operation that it is a part of; undefined: of none that was begun. */
export interface AuditedChange {
  readonly operation: Operation | undefined;
  readonly entry: AuditEntry;
}

/** Owns the trail of changes: who made them, and what was there before. */
@Injectable()
export class AuditTrail {
  constructor(
    private readonly ids: TimeOrderedIds,
    private readonly clock: Clock,
    private readonly database: Database,
  ) {}

  /** Begins an operation, for `runInOperation`. Its id is drawn when it is needed. */
  begin(caller: Caller): Operation {
    return new Operation(() => this.ids.next(), caller);
  }

  /**
   * Records changes of the current operation, in the transaction that makes them. A change that nobody has begun an
   * operation for is the system's own.
   */
  record(transaction: Transaction, appId: string, entries: readonly AuditEntry[]): Promise<void> {
    const operation = currentOperation();
    return this.recordEach(
      transaction,
      appId,
      entries.map((entry) => ({ operation, entry })),
    );
  }

  /** As `record`, for changes that write nothing else. */
  recordAlone(appId: string, entries: readonly AuditEntry[]): Promise<void> {
    return this.database.write((transaction) => this.record(transaction, appId, entries), appId);
  }

  /** Records changes of several operations that share a transaction. */
  async recordEach(transaction: Transaction, appId: string, changes: readonly AuditedChange[]): Promise<void> {
    if (changes.length === 0) return;
    const at = this.clock.now();
    let ownOperation: Operation | undefined;
    const rows = changes.map(({ operation, entry }) => {
      const of = operation ?? (ownOperation ??= this.begin(localCaller('system', '')));
      return toRow(appId, at, of, entry);
    });
    await transaction.insert('audit_entries', auditColumns, rows);
  }
}

function toRow(appId: string, at: number, operation: Operation, entry: AuditEntry): SqlRow {
  const { type, id, address, requestId } = operation.caller;
  return {
    app_id: appId,
    operation_id: operation.id,
    seq: operation.nextSeq(),
    at,
    actor: id === '' ? type : `${type}:${id}`,
    address,
    request_id: requestId,
    action: entry.action,
    target: writeTarget(entry.target),
    target_uuid: entry.targetUuid ?? null,
    outcome: entry.outcome ?? 'done',
    reason: writeReason(entry.reason),
    old_values: writeValues(entry.before),
    new_values: writeValues(entry.after),
    changed: entry.count ?? 1,
  };
}
