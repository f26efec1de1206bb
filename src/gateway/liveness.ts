import type { Clock } from '../clock/clock.js';

/** How long a ping may go unanswered or a write may be stuck: one lease. */
const patienceMs = 10_000;
const framesPerSecond = 200;

/** The result of checking a socket's connection. */
export type Finding = 'alive' | 'ping' | 'silent' | 'slow';

/** Whether the peer still reads and writes, and whether it writes too often. */
export class Liveness {
  private heardAt: number;
  private pingedAt: number | null = null;
  private unwritten = 0;
  private progressAt = 0;
  private countedSince = 0;
  private frames = 0;

  constructor(
    private readonly clock: Clock,
    private readonly pingMs: number,
  ) {
    this.heardAt = clock.monotonic();
  }

  heard(): number {
    this.heardAt = this.clock.monotonic();
    this.pingedAt = null;
    return this.heardAt;
  }

  writeBegins(): void {
    if (this.unwritten === 0) this.progressAt = this.clock.monotonic();
    this.unwritten += 1;
  }

  writeEnds(): void {
    this.unwritten -= 1;
    this.progressAt = this.clock.monotonic();
  }

  /**
   * @param late the caller itself was delayed, so silence proves nothing
   * @param paused the socket is not being read, so its silence is self-inflicted
   */
  check(now: number, late: boolean, paused: boolean): Finding {
    if (late) {
      if (this.pingedAt !== null) this.pingedAt = now;
      this.progressAt = now;
    }
    if (this.unwritten > 0 && now - this.progressAt > patienceMs) return 'slow';
    if (paused) this.heard();
    if (this.pingedAt !== null) return now - this.pingedAt > patienceMs ? 'silent' : 'alive';
    if (now - this.heardAt <= this.pingMs) return 'alive';
    this.pingedAt = now;
    return 'ping';
  }

  /** Counts a frame. @returns false when there are too many per second */
  admitFrame(): boolean {
    const now = this.heard();
    if (now - this.countedSince >= 1_000) {
      this.countedSince = now;
      this.frames = 0;
    }
    this.frames += 1;
    return this.frames <= framesPerSecond;
  }

  /** A solicited frame does not count. */
  forgiveFrame(): void {
    this.frames -= 1;
  }
}
