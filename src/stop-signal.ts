/** A terminal signals both npm and us, and npm passes its signal on: signals this close together count as one. */
const sameWishMs = 500;

/**
 * Handles SIGTERM and SIGINT from the moment it is created: a process without handlers is ended by them, but the first
 * process of a container would not receive either.
 */
export class StopSignal {
  /** Until there is something to finish, the process simply exits. Every step of a start may be interrupted. */
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
