import { Logger } from '@nestjs/common';
import { AppError } from '../errors/app-error.js';
import { RedisUnavailable } from '../redis/redis-unavailable.js';

/** Presence works on while Redis or the database is away: what they would have answered is then unknown, not an error. */
export class Outages {
  private readonly logger = new Logger('Presence');
  private reported = false;

  /** The answer, or null where there is none. */
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

  /** An outage of Redis or of the database is in the log already; anything else is reported once. */
  private report(error: unknown): void {
    const known = error instanceof RedisUnavailable || (error instanceof AppError && error.code !== 'internal');
    if (known || this.reported) return;
    this.reported = true;
    this.logger.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}
