import { AsyncLocalStorage } from 'node:async_hooks';
import type { Caller } from './caller.js';

/** Everything that one call, command or round of a sweep changes. */
export class Operation {
  private lastSeq = 0;
  private number: number | undefined;

  /** @param drawId draws from `TimeOrderedIds` when the id is first asked for */
  constructor(
    private readonly drawId: () => number,
    readonly caller: Caller,
  ) {}

  /** @throws AppError database_unavailable: none can be drawn */
  get id(): number {
    return (this.number ??= this.drawId());
  }

  /** Whether it has recorded anything. */
  get hasEntries(): boolean {
    return this.lastSeq > 0;
  }

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
