import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Database, UniqueViolation } from '../database/database.js';
import { Clock } from '../clock/clock.js';
import type { RetentionClockRow } from './retention-clock.entity.js';

const everyMs = 60_000;
/**
 * A smaller gap may be a service that was stopped for a while; a larger one is either a long stop or a clock that was
 * set.
 */
export const maxLeapMs = 24 * 3600 * 1000;
const insert = 'INSERT INTO retention_clock (id, seen_at, leapt_to) VALUES (1, ?, ?)';

/**
 * Decides what is old enough to be removed. Stored rows carry the time of a clock that may have been wrong then or may
 * be wrong now, and a removal cannot be undone. So each node records the time once a minute, and one that finds the
 * last record more than a day behind its own clock cannot know which of the two is right: from then on nothing is
 * removed for its age, until it is old enough by the time that has passed since. By then, even what was stored just
 * before the jump is old enough, and what was stored after it is not due any earlier.
 */
@Injectable()
export class RetentionClock implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('Retention');
  private timer: NodeJS.Timeout | undefined;
  /** As of this process's last check. */
  private seen: { readonly now: number; readonly monotonic: number } | null = null;
  private leaptTo = Infinity;
  private warnedOf = 0;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.look();
    this.timer = setInterval(() => void this.look(), everyMs).unref();
  }

  onModuleDestroy(): void {
    this.stop();
  }

  /** Stops the periodic checks. */
  stop(): void {
    clearInterval(this.timer);
  }

  /** The time to which a clock last jumped, as far as this process knows; null: none did. */
  get leaptAt(): number | null {
    return Number.isFinite(this.leaptTo) ? this.leaptTo : null;
  }

  /**
   * Whatever was stored before this time, in Unix milliseconds, has been kept for `keptMs`; 0: nothing certainly was.
   */
  dueBefore(keptMs: number): number {
    const now = this.clock.now();
    const { seen } = this;
    const leapt = seen === null || now - seen.now - (this.clock.monotonic() - seen.monotonic) > maxLeapMs;
    return leapt || now < this.leaptTo + keptMs ? 0 : Math.max(0, now - keptMs);
  }

  /** Records the time, and whether it has jumped. If the database is unavailable, the next check does it. */
  async look(): Promise<void> {
    const now = this.clock.now();
    try {
      const known = await this.read();
      const leapMs = known === undefined ? 0 : now - known.seen_at;
      // A clock that jumped to a time still in the future was wrong itself.
      const leaptTo = leapMs > maxLeapMs ? now : Math.min(known?.leapt_to ?? 0, now);
      await this.write(known, now, leaptTo);
      this.take(now, leaptTo);
      if (leapMs > maxLeapMs && this.warnedOf === 0) this.warn(leapMs);
      this.warnedOf = leaptTo;
    } catch {
      // Others report an unavailable database. Until it is back, what was known still holds.
    }
  }

  /** An operator confirms that the clock is right, and that stored rows have the right times. */
  async trust(): Promise<void> {
    const now = this.clock.now();
    await this.write(await this.read(), now, 0);
    this.take(now, 0);
  }

  private take(now: number, leaptTo: number): void {
    this.seen = { now, monotonic: this.clock.monotonic() };
    this.leaptTo = leaptTo === 0 ? -Infinity : leaptTo;
  }

  private warn(leapMs: number): void {
    this.logger.warn(
      `The clock is ${Math.round(leapMs / 3_600_000)} hours ahead of when this database was last in use. Nothing is ` +
        'removed for its age until that has passed once more; if the clock is right and was right before, run ' +
        '`expire --clock-is-right`',
    );
  }

  private async read(): Promise<RetentionClockRow | undefined> {
    const [row] = await this.database.read<RetentionClockRow>(
      'SELECT id, seen_at, leapt_to FROM retention_clock WHERE id = 1',
    );
    return row;
  }

  private async write(known: RetentionClockRow | undefined, seenAt: number, leaptTo: number): Promise<void> {
    try {
      await this.database.write((transaction) =>
        known === undefined
          ? transaction.run(insert, [seenAt, leaptTo])
          : transaction.run('UPDATE retention_clock SET seen_at = ?, leapt_to = ? WHERE id = 1', [seenAt, leaptTo]),
      );
    } catch (error) {
      // Another node has recorded it at the same moment.
      if (!(error instanceof UniqueViolation)) throw error;
    }
  }
}
