import { Logger } from '@nestjs/common';
import { AppError } from '../errors/app-error.js';
import { RedisUnavailable } from '../redis/redis-unavailable.js';

/** Presence keeps working while Redis or the database is unavailable: a missing answer is unknown, not an error. */
export class Outages {
  private readonly logger = new Logger('Presence');
  private reported = false;

  /** The answer, or null if there is none. */
  async ask<Answer>(question: () => Promise<Answer>): Promise<Answer | null> {
    try {
      return await question();
    } catch (error) {
      this.report(error);
      return null;
    }
  }

  /** The store answers again: the next unexpected error is reported. */
  over(): void {
    this.reported = false;
  }

  /** Outages of Redis or the database are already logged; anything else is reported once. */
  private report(error: unknown): void {
    const known = error instanceof RedisUnavailable || (error instanceof AppError && error.code !== 'internal');
    if (known || this.reported) return;
    this.reported = true;
    this.logger.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}
