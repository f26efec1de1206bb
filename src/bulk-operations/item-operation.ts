import type { Caller } from '../audit/caller.js';
import { Operation } from '../audit/operation.js';

/** One item's part of an operation: its audit entry has the number of the item, so it is never recorded twice. */
export class ItemOperation extends Operation {
  constructor(
    operationId: number,
    caller: Caller,
    private readonly seq: number,
  ) {
    super(() => operationId, caller);
  }

  override nextSeq(): number {
    return this.seq;
  }
}
