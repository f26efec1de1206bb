import { Injectable } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import type { SqlRow, Transaction } from '../database/database.js';
import { TimeOrderedIds } from '../ids/time-ordered-ids.js';
import { type AuditEntry, writeReason, writeTarget, writeValues } from './audit-entry.js';
import { type Caller, localCaller } from './caller.js';
import { currentOperation, Operation } from './operation.js';

/** A change, and the operation that it is a part of; undefined: of none that was begun. */
export interface AuditedChange {
  readonly operation: Operation | undefined;
  readonly entry: AuditEntry;
}

const columns = [
  ...['app_id', 'operation_id', 'seq', 'at', 'actor', 'address', 'request_id', 'action', 'target', 'target_uuid'],
  ...['outcome', 'reason', 'old_values', 'new_values', 'changed'],
];

/** Owns the trail of changes: who made them, and what was there before. */
@Injectable()
export class AuditTrail {
  constructor(
    private readonly ids: TimeOrderedIds,
    private readonly clock: Clock,
  ) {}

  /** Begins an operation, for `runInOperation`. @throws AppError database_unavailable: no id can be drawn */
  begin(caller: Caller): Operation {
    return new Operation(this.ids.next(), caller);
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

  /** Records changes of several operations that share a transaction. */
  async recordEach(transaction: Transaction, appId: string, changes: readonly AuditedChange[]): Promise<void> {
    if (changes.length === 0) return;
    const at = this.clock.now();
    let ownOperation: Operation | undefined;
    const rows = changes.map(({ operation, entry }) => {
      const of = operation ?? (ownOperation ??= this.begin(localCaller('system', '')));
      return toRow(appId, at, of, entry);
    });
    await transaction.insert('audit_entries', columns, rows);
  }
}

function toRow(appId: string, at: number, operation: Operation, entry: AuditEntry): SqlRow {
  const { type, id, address, requestId } = operation.caller;
  return {
    app_id: appId,
    operation_id: operation.id,
    seq: entry.seq ?? operation.nextSeq(),
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
