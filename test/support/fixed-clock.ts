import { Clock } from '../../src/clock/clock.js';

/** A clock that stands still until a test moves it. */
export class FixedClock extends Clock {
  #elapsedMs = 0;

  constructor(readonly startMs = Date.UTC(2026, 0, 1)) {
    super();
  }

  now(): number {
    return this.startMs + this.#elapsedMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  advance(ms: number): void {
    this.#elapsedMs += ms;
  }
}
