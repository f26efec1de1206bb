import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { App } from '../apps/app.js';
import { AppsService } from '../apps/apps.service.js';
import { outsideUnits } from '../database/unit-of-work.js';
import { BulkOperationsRepository } from './bulk-operations.repository.js';
import { BulkRunner } from './bulk-runner.js';

/** Operations that a node works on at once; of each app only the oldest. */
const maxAtOnce = 2;
/** How often a node looks for operations that others have abandoned: no app costs more than a look-up every 20 ms. */
const minRoundMs = 5_000;
const roundMsPerApp = 20;
/** The pause after a portion is twice as long as the portion took, which leaves the database to live calls. */
const restPerWork = 2;
const minRestMs = 20;
const maxRestMs = 1_000;

/** Works on the operations of all apps, also on those that another node has left unfinished. */
@Injectable()
export class BulkWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('BulkOperations');
  private readonly id = randomUUID();
  private readonly running = new Map<string, Promise<void>>();
  private round: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly apps: AppsService,
    private readonly operations: BulkOperationsRepository,
    private readonly runner: BulkRunner,
  ) {}

  onApplicationBootstrap(): void {
    this.schedule(Math.random() * minRoundMs);
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.round;
    await Promise.all(this.running.values());
  }

  /** Begins with the app's oldest operation, unless it is being worked on. Never fails. */
  wake(app: App): void {
    if (this.stopped || this.running.has(app.id) || this.running.size >= maxAtOnce) return;
    const work = outsideUnits(() => this.work(app)).finally(() => this.running.delete(app.id));
    this.running.set(app.id, work);
  }

  private schedule(afterMs: number): void {
    if (this.stopped) return;
    const begin = (): void => void (this.round = this.look());
    outsideUnits(() => (this.timer = setTimeout(begin, afterMs).unref()));
  }

  private async look(): Promise<void> {
    let apps: App[] = [];
    try {
      apps = await this.apps.list();
      for (const app of apps) {
        if (this.stopped || this.running.size >= maxAtOnce) break;
        const [oldest] = await this.operations.listUnfinished(app.id, 1);
        if (oldest !== undefined) this.wake(app);
        if (apps.length > 1) await sleep(1);
      }
    } catch (error) {
      // Only time is lost: the next round finds the same operations.
      this.logger.warn(`Could not look for operations: ${(error as Error).message}`);
    }
    this.schedule(Math.max(minRoundMs, apps.length * roundMsPerApp) * (0.75 + Math.random() / 2));
  }

  private async work(app: App): Promise<void> {
    try {
      while (!this.stopped) {
        const [oldest] = await this.operations.listUnfinished(app.id, 1);
        if (oldest === undefined || !(await this.workOn(app, oldest.id))) return;
      }
    } catch (error) {
      this.logger.warn(`Could not go on with an operation: ${(error as Error).message}`);
    }
  }

  /** @returns whether it is finished: false if another node works on it */
  private async workOn(app: App, id: number): Promise<boolean> {
    for (let more = true; more && !this.stopped;) {
      const startedAt = performance.now();
      more = await this.runner.portion(app, id, this.id);
      const workedMs = performance.now() - startedAt;
      if (more) await sleep(Math.min(maxRestMs, Math.max(minRestMs, restPerWork * workedMs)));
    }
    const row = await this.operations.find(app.id, id);
    return row === null || row.finished_at !== 0;
  }
}
