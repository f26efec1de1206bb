import { randomInt } from 'node:crypto';
import type { WebSocket } from 'ws';
import type { Clock } from '../clock/clock.js';

/** Random extra delay for clients that were slowed down, so that they do not all resume at once. */
const maxJitterMs = 500;
/** How often in a row a client may exceed its limit. */
export const maxOversteps = 10;
/** The count restarts after this long without one. */
export const forgivenAfterMs = 10_000;

/** Controls whether a client is read; several callers may pause it independently, each for its own reason. */
export class ReadControl {
  private pauses = 0;
  private slowed = false;
  private released = false;
  private oversteps = 0;
  private oversteppedAt = -Infinity;

  constructor(
    private readonly socket: Pick<WebSocket, 'pause' | 'resume'>,
    private readonly clock: Clock,
  ) {}

  /** Stops reading until `resume` has been called as often as this. */
  pause(): void {
    this.pauses += 1;
    if (!this.released) this.socket.pause();
  }

  resume(): void {
    this.pauses -= 1;
    if (this.pauses === 0) this.socket.resume();
  }

  /** Reads from now on, regardless of any pause. */
  release(): void {
    this.released = true;
    this.socket.resume();
  }

  /** Stops reading for a while; no effect while already slowed down. */
  slowDown(retryAfterMs: number): void {
    if (this.slowed) return;
    this.slowed = true;
    this.pause();
    setTimeout(
      () => {
        this.slowed = false;
        this.resume();
      },
      retryAfterMs + randomInt(maxJitterMs),
    ).unref();
  }

  /** The client exceeded its limit. @returns false when too often; what it sent before being slowed down counts once */
  overstep(): boolean {
    if (this.slowed) return true;
    const now = this.clock.monotonic();
    this.oversteps = now - this.oversteppedAt > forgivenAfterMs ? 1 : this.oversteps + 1;
    this.oversteppedAt = now;
    return this.oversteps <= maxOversteps;
  }
}
