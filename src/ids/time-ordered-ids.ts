import { randomInt } from 'node:crypto';
import { Clock } from '../clock/clock.js';

const epochMs = Date.UTC(2020, 0, 1);
const idsPerMs = 4096;

/** The least id of a time in Unix milliseconds: what was made before it has a smaller one. */
export function firstIdAt(ms: number): number {
  return (ms - epochMs) * idsPerMs;
}

/**
 * Whole numbers below 2^53 that grow with time: milliseconds since 2020 times 4096, plus a part below 4096. This
 * process never repeats one. Another process may, in the same millisecond, so every table that stores them has a
 * unique key, and who inserts takes the next one when it is taken. Good until 2089.
 */
export class TimeOrderedIds {
  private last = 0;

  constructor(private readonly clock: Clock) {}

  next(): number {
    // A random start in each millisecond keeps nodes apart; its upper half is left for more ids of the same one.
    const started = firstIdAt(this.clock.now()) + randomInt(idsPerMs / 2);
    this.last = Math.max(this.last + 1, started);
    return this.last;
  }
}
