import { randomInt } from 'node:crypto';
import type { WebSocket } from 'ws';
import type { Clock } from '../clock/clock.js';

/** A client that was slowed down is left alone for up to so much longer, so that not all come back at once. */
const maxJitterMs = 500;
/** So often in a row a client may send more than it may. */
export const maxOversteps = 10;
/** After so long without one it begins anew. */
export const forgivenAfterMs = 10_000;

/** Whether a client is read: nobody may ask for it to wait, or several may, each for a reason of its own. */
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

  /** Reads nothing more until `resume` was called as often as this. */
  pause(): void {
    this.pauses += 1;
    if (!this.released) this.socket.pause();
  }

  resume(): void {
    this.pauses -= 1;
    if (this.pauses === 0) this.socket.resume();
  }

  /** Reads from now on, whatever anybody asks for. */
  release(): void {
    this.released = true;
    this.socket.resume();
  }

  /** Reads nothing for a while; does nothing while it does not anyway. */
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

  /** The client sent more than it may. @returns false when it has done so too often; what came before it was slowed down is once */
  overstep(): boolean {
    if (this.slowed) return true;
    const now = this.clock.monotonic();
    this.oversteps = now - this.oversteppedAt > forgivenAfterMs ? 1 : this.oversteps + 1;
    this.oversteppedAt = now;
    return this.oversteps <= maxOversteps;
  }
}
