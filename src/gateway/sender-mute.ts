import type { Clock } from '../clock/clock.js';
import { AppError } from '../errors/app-error.js';
import { forever } from '../mutes/mute.js';

/**
 * Until when the user of a session may not send: read before the first message and cached, so that messages cost no
 * statement. Any possible change clears the cache, and the next message reads it again.
 */
export class SenderMute {
  private mutedUntil: Promise<number> | null = null;

  /** @param read Unix milliseconds */
  constructor(
    private readonly read: () => Promise<number>,
    private readonly clock: Clock,
  ) {}

  /** The cached value may be stale. */
  forget(): void {
    this.mutedUntil = null;
  }

  /** @throws AppError user_muted with retryAfterMs if the mute has an end, database_unavailable */
  async check(): Promise<void> {
    const reading = (this.mutedUntil ??= this.read());
    let untilMs: number;
    try {
      untilMs = await reading;
    } catch (error) {
      if (this.mutedUntil === reading) this.forget();
      throw error;
    }
    const leftMs = untilMs - this.clock.now();
    if (leftMs <= 0) return;
    throw new AppError('user_muted', untilMs === forever ? {} : { retryAfterMs: leftMs });
  }
}
