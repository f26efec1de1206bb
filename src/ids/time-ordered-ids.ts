import { Clock } from '../clock/clock.js';
import { AppError } from '../errors/app-error.js';

const epochMs = Date.UTC(2020, 0, 1);
const idsPerMs = 4096;
/** The ids of one node in each millisecond. A node that needs more continues with those of the milliseconds to come. */
const idsPerNode = 32;
/** How many nodes may draw ids at once. */
export const nodeNumbers = idsPerMs / idsPerNode;
const retryAfterMs = 1000;

/** The smallest id of a time in Unix milliseconds: everything made before it has a smaller one. */
export function firstIdAt(ms: number): number {
  return (ms - epochMs) * idsPerMs;
}

/** The ids of one node number for a period of time: nobody else draws them, now or later. */
export interface IdWindow {
  /** From 0, below `nodeNumbers`. */
  readonly node: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * Integers below 2^53 that grow with time: milliseconds since 2020 times 4096, plus a node number times 32, plus a
 * count. They are unique across nodes, because each node draws only from its own window. Good until 2089.
 */
export class TimeOrderedIds {
  private window: IdWindow | null = null;
  private lastMs = 0;
  private count = 0;
  #refused = false;

  constructor(private readonly clock: Clock) {}

  /** No id of this time or later has been drawn here. */
  get drawnUntilMs(): number {
    return this.lastMs + 1;
  }

  /** Whether an id was refused since the last window. */
  get refused(): boolean {
    return this.#refused;
  }

  /** From now on, ids come from this window; null: from none. */
  use(window: IdWindow | null): void {
    this.window = window;
    this.#refused = false;
  }

  /** @throws AppError database_unavailable: the window has expired, and the database has not granted another yet */
  next(): number {
    const { window } = this;
    if (window === null) return this.refuse();
    const now = Math.max(this.clock.now(), window.fromMs);
    const inLast = now <= this.lastMs && this.count + 1 < idsPerNode;
    const ms = inLast ? this.lastMs : Math.max(now, this.lastMs + 1);
    if (ms >= window.untilMs) return this.refuse();
    this.count = inLast ? this.count + 1 : 0;
    this.lastMs = ms;
    return firstIdAt(ms) + window.node * idsPerNode + this.count;
  }

  private refuse(): never {
    this.#refused = true;
    throw new AppError('database_unavailable', {
      retryAfterMs,
      detail: 'this node has no lease on a node number to make ids with',
    });
  }
}
