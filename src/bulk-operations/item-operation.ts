import type { Caller } from '../audit/caller.js';
import { Operation } from '../audit/operation.js';

/** One item's part of an operation: its audit entry has the number of the item, so it is never recorded twice. */
export class ItemOperation extends Operation {
  private recorded = false;

  constructor(
    operationId: number,
    caller: Caller,
    private readonly seq: number,
  ) {
    super(() => operationId, caller);
  }

  /** Whether anything has changed: whatever changes is recorded. */
  override get hasEntries(): boolean {
    return this.recorded;
  }

  override nextSeq(): number {
    this.recorded = true;
    return this.seq;
  }
}
