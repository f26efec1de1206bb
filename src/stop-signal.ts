/** A terminal signals npm and us, and npm passes its own on: signals this close together are one wish to stop. */
const sameWishMs = 500;

/**
 * SIGTERM and SIGINT, heard from the moment this is made: a process that does not listen is ended by them, but the first
 * process of a container then gets neither.
 */
export class StopSignal {
  /** Until there is something to finish, the process just ends. Every step of a start may be cut off. */
  onStop: (signal: NodeJS.Signals) => void = () => process.exit(0);
  private heardAt = -Infinity;

  constructor() {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => this.hear(signal));
  }

  private hear(signal: NodeJS.Signals): void {
    const now = performance.now();
    if (now - this.heardAt < sameWishMs) return;
    this.heardAt = now;
    this.onStop(signal);
  }
}
