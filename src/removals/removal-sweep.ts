import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { outsideUnits } from '../database/unit-of-work.js';
import { RemovalsService } from './removals.service.js';

const everyMs = 60_000;
/** By then the transaction that began a removal has usually committed; if not, the next round finds it. */
const soonMs = 100;

/** Finishes this node's removals at once, and about once a minute those that other nodes have abandoned. */
@Injectable()
export class RemovalSweep implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Removals');
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | null = null;
  private again = false;
  private stopped = false;

  constructor(private readonly removals: RemovalsService) {
    removals.onBegun(() => this.wake());
  }

  /** Runs soon, to note what is there: anything without progress by the next round was abandoned. */
  onApplicationBootstrap(): void {
    this.schedule(soonMs);
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private wake(): void {
    if (this.running === null) this.schedule(soonMs);
    else this.again = true;
  }

  private schedule(afterMs: number): void {
    if (this.stopped) return;
    clearTimeout(this.timer);
    outsideUnits(() => {
      this.timer = setTimeout(() => {
        this.running = this.sweep();
      }, afterMs).unref();
    });
  }

  private async sweep(): Promise<void> {
    this.again = false;
    try {
      await this.removals.finish({ all: false }, () => !this.stopped);
    } catch (error) {
      // Only time is lost: the next round finds the same removals.
      this.logger.warn(`Could not remove the rows of deleted users or groups: ${(error as Error).message}`);
    }
    this.running = null;
    this.schedule(this.again ? soonMs : everyMs * (0.5 + Math.random()));
  }
}
