import { randomUUID } from 'node:crypto';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { Database, UniqueViolation } from '../database/database.js';
import { AppError } from '../errors/app-error.js';
import type { IdNodeRow } from './id-node.entity.js';
import { type IdWindow, nodeNumbers, TimeOrderedIds } from './time-ordered-ids.js';

/** How long a node that cannot reach the database keeps drawing ids. */
const windowMs = 60_000;
/** If less than this is left, it asks for more. */
const renewWithinMs = 40_000;
const beatEveryMs = 1_000;

/**
 * Leases the windows that this process draws ids from. A number is free when its lease has expired by the clock of the
 * node that wants it; the next holder starts where the previous one's time ended. So a process that was suspended, or
 * whose clock is wrong, may lose its number early or late, but never draws an id that another one draws.
 */
@Injectable()
export class IdLease implements OnModuleInit {
  private readonly logger = new Logger('Ids');
  private readonly holder = randomUUID();
  private window: IdWindow | null = null;
  private timer: NodeJS.Timeout | undefined;
  private beating: Promise<void> | null = null;
  private failing = false;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly ids: TimeOrderedIds,
  ) {}

  /** The number of this process; null: none. */
  get node(): number | null {
    return this.window?.node ?? null;
  }

  async onModuleInit(): Promise<void> {
    await this.beat();
    this.timer = setInterval(() => {
      this.beating ??= this.beat().finally(() => (this.beating = null));
    }, beatEveryMs).unref();
  }

  /** Asks for more time if little is left. If the database is unavailable, the next beat asks again. */
  async beat(): Promise<void> {
    const window = this.window;
    const enough = window !== null && this.clock.now() + renewWithinMs < window.untilMs && !this.ids.refused;
    if (enough) return;
    try {
      const next = (window && (await this.renew(window))) ?? (await this.acquire());
      this.window = next;
      this.ids.use(next);
      this.failing = false;
    } catch (error) {
      // Once per outage of the database.
      if (!this.failing) this.logger.warn(`Could not reserve more ids: ${(error as Error).message}`);
      this.failing = true;
    }
  }

  /** Stops drawing, and returns the number: others start where this process ended. */
  async release(): Promise<void> {
    this.stop();
    await this.beating;
    const window = this.window;
    this.window = null;
    this.ids.use(null);
    if (window === null) return;
    const untilMs = Math.max(window.fromMs, this.ids.drawnUntilMs);
    await this.database
      .write((transaction) =>
        transaction.run("UPDATE id_nodes SET holder = '', reserved_until = ? WHERE node = ? AND holder = ?", [
          untilMs,
          window.node,
          this.holder,
        ]),
      )
      // Otherwise it would be free a minute later.
      .catch(() => undefined);
  }

  /** Stops the beats. */
  stop(): void {
    clearInterval(this.timer);
  }

  /** @returns null if somebody else has the number by now; the rest of the window remains usable */
  private async renew(window: IdWindow): Promise<IdWindow | null> {
    const untilMs = Math.max(this.clock.now(), this.ids.drawnUntilMs) + windowMs;
    // Never less than before: a slow call may finish after a later one.
    const renewed = await this.database.write((transaction) =>
      transaction.run('UPDATE id_nodes SET reserved_until = ? WHERE node = ? AND holder = ? AND reserved_until < ?', [
        untilMs,
        window.node,
        this.holder,
        untilMs,
      ]),
    );
    if (renewed === 1) return { ...window, untilMs };
    this.logger.warn('Another process has taken over the node number of this one');
    return null;
  }

  private async acquire(): Promise<IdWindow> {
    for (;;) {
      const rows = await this.database.read<IdNodeRow>('SELECT node, holder, reserved_until FROM id_nodes');
      const known = new Map(rows.map((row) => [row.node, row]));
      const now = this.clock.now();
      // From the top: versions without node numbers rarely draw from there, should one still be running.
      let node = nodeNumbers - 1;
      while (node >= 0 && (known.get(node)?.reserved_until ?? 0) > now) node -= 1;
      if (node < 0) throw new AppError('database_unavailable', { detail: `all ${nodeNumbers} node numbers are taken` });
      const fromMs = Math.max(now, this.ids.drawnUntilMs);
      const window = { node, fromMs, untilMs: fromMs + windowMs };
      if (await this.take(window, known.get(node))) return window;
    }
  }

  /** Creates or changes the row that was seen; false if somebody else was faster. */
  private async take({ node, untilMs }: IdWindow, seen: IdNodeRow | undefined): Promise<boolean> {
    if (seen !== undefined)
      return (
        (await this.database.write((transaction) =>
          transaction.run(
            'UPDATE id_nodes SET holder = ?, reserved_until = ? WHERE node = ? AND holder = ? AND reserved_until = ?',
            [this.holder, untilMs, node, seen.holder, seen.reserved_until],
          ),
        )) === 1
      );
    try {
      await this.database.write((transaction) =>
        transaction.run('INSERT INTO id_nodes (node, holder, reserved_until) VALUES (?, ?, ?)', [
          node,
          this.holder,
          untilMs,
        ]),
      );
      return true;
    } catch (error) {
      if (error instanceof UniqueViolation) return false;
      throw error;
    }
  }
}
