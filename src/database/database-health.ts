import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { Database } from './database.js';
import { isRefusal } from './database-refused.js';

export type DatabaseState = 'up' | 'down' | 'refuses writes';

/** The row of the migration lock; its beat has no meaning while nobody holds the lock. */
export const trialWrite = "UPDATE migration_lock SET beat = beat + 1 WHERE id = 1 AND holder = ''";

const lookEveryMs = 5_000;
/** More frequent queries get the result of the previous probe. */
const trialEveryMs = 1_000;
/** Another program may hold the file lock for seconds; queries in that time get the result of the previous probe. */
const maxTrialWaitMs = 50;

class TakenBack extends Error {}

/**
 * Knows whether the database answers and accepts writes: a read-only server, a user without privileges or a full disk
 * still answers every query. Logs each change in one line, with the database's own reason.
 */
@Injectable()
export class DatabaseHealth implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Database');
  private timer: NodeJS.Timeout | undefined;
  private said: DatabaseState = 'up';
  private refusal: string | null = null;
  private triedAt = -Infinity;
  private trial: Promise<void> | null = null;

  constructor(
    @Inject(Database) private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.look();
    this.timer = setInterval(() => void this.look(), lookEveryMs).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  async look(): Promise<DatabaseState> {
    const away = await this.database.ping().then(
      () => null,
      (error: unknown) => reasonOf(error),
    );
    if (away !== null) return this.say('down', `The database is down: ${away}`);
    await this.tryToWrite();
    if (this.refusal !== null) return this.say('refuses writes', `The database refuses writes: ${this.refusal}`);
    return this.say('up', 'The database answers and accepts writes again.');
  }

  private async tryToWrite(): Promise<void> {
    if (this.trial === null && this.clock.monotonic() - this.triedAt >= trialEveryMs) {
      this.triedAt = this.clock.monotonic();
      this.trial = this.write().finally(() => (this.trial = null));
    }
    if (this.trial !== null) await Promise.race([this.trial, sleep(maxTrialWaitMs, undefined, { ref: false })]);
  }

  private async write(): Promise<void> {
    try {
      await this.database.write(async (transaction) => {
        await transaction.run(trialWrite);
        // A server refuses the statement, but a full disk under a file shows only on commit.
        if (this.database.engine === 'mysql') throw new TakenBack();
      });
      this.refusal = null;
    } catch (error) {
      if (error instanceof TakenBack) this.refusal = null;
      else if (isRefusedWrite(error)) this.refusal = reasonOf(error);
    }
  }

  private say(state: DatabaseState, text: string): DatabaseState {
    if (state !== this.said) this.logger[state === 'up' ? 'log' : 'warn'](text);
    this.said = state;
    return state;
  }
}

function isRefusedWrite(error: unknown): boolean {
  const cause = (error as { cause?: { code?: unknown } }).cause;
  return cause !== undefined && (String(cause.code).startsWith('SQLITE_') || isRefusal(cause));
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as { message: string; cause?: { message?: string; code?: string } };
  return cause?.message ?? cause?.code ?? message;
}
