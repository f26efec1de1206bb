import { randomUUID } from 'node:crypto';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { Database, UniqueViolation } from '../database/database.js';
import { AppError } from '../errors/app-error.js';
import type { IdNodeRow } from './id-node.entity.js';
import { type IdWindow, nodeNumbers, TimeOrderedIds } from './time-ordered-ids.js';

/** How long a node draws ids that cannot reach the database. */
const windowMs = 60_000;
/** With less left than this, more is asked for. */
const renewWithinMs = 40_000;
const beatEveryMs = 1_000;

/**
 * Gets the windows that this process draws ids from. A number is free when its time is over by the clock of whoever
 * wants it; the next holder begins where the time of the last one ended. So a process that stood still, or whose clock
 * is wrong, may lose its number early or late, but never draws an id that another one draws.
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

  /** The number that this process has; null: none. */
  get node(): number | null {
    return this.window?.node ?? null;
  }

  async onModuleInit(): Promise<void> {
    await this.beat();
    this.timer = setInterval(() => {
      this.beating ??= this.beat().finally(() => (this.beating = null));
    }, beatEveryMs).unref();
  }

  /** Asks for more time if little is left. With the database away, the next beat asks again. */
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
      // Once for each time that the database is away.
      if (!this.failing) this.logger.warn(`No new time to draw ids from: ${(error as Error).message}`);
      this.failing = true;
    }
  }

  /** Draws no more, and gives the number back: others begin where this process ended. */
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
      // Without this, it is free a minute later.
      .catch(() => undefined);
  }

  /** No more beats. */
  stop(): void {
    clearInterval(this.timer);
  }

  /** @returns null when the number is somebody else's by now; what is left of the window stays good */
  private async renew(window: IdWindow): Promise<IdWindow | null> {
    const untilMs = Math.max(this.clock.now(), this.ids.drawnUntilMs) + windowMs;
    // Never less than before: one that was under way for long may arrive behind a later one.
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
      // From the top: versions without node numbers seldom draw from there, should one still run.
      let node = nodeNumbers - 1;
      while (node >= 0 && (known.get(node)?.reserved_until ?? 0) > now) node -= 1;
      if (node < 0) throw new AppError('database_unavailable', { detail: `all ${nodeNumbers} node numbers are taken` });
      const fromMs = Math.max(now, this.ids.drawnUntilMs);
      const window = { node, fromMs, untilMs: fromMs + windowMs };
      if (await this.take(window, known.get(node))) return window;
    }
  }

  /** Makes or changes the row that was seen; false: somebody else was quicker. */
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
