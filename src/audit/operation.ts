import { AsyncLocalStorage } from 'node:async_hooks';
import type { Caller } from './caller.js';

/** Everything that one call, command or round of a sweep changes. */
export class Operation {
  private lastSeq = 0;

  /** @param id from `TimeOrderedIds` */
  constructor(
    readonly id: number,
    readonly caller: Caller,
  ) {}

  /** The number of its next audit entry. A transaction that is run again leaves a gap. */
  nextSeq(): number {
    return (this.lastSeq += 1);
  }
}

const storage = new AsyncLocalStorage<Operation | undefined>();

/**
 * The operation that the running code belongs to, if any. Code that works for several callers at once, as in a
 * gatherer, has to keep the operation of each call itself.
 */
export function currentOperation(): Operation | undefined {
  return storage.getStore();
}

/** Runs `work` as a part of an operation; undefined: of none. */
export function runInOperation<Result>(operation: Operation | undefined, work: () => Result): Result {
  return storage.run(operation, work);
}
