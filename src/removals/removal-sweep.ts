import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { outsideUnits } from '../database/unit-of-work.js';
import { RemovalsService } from './removals.service.js';

const everyMs = 60_000;
/** By then the transaction that began a removal is committed; if not, the next round finds it. */
const soonMs = 100;

/** Finishes what this node has begun at once, and about once a minute what others have left behind. */
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

  /** Soon, to learn what is there: what has not moved in the next round has nobody who works on it. */
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
      // Nothing is lost but time: the next round finds the same.
      this.logger.warn(`Could not remove what belonged to what was deleted: ${(error as Error).message}`);
    }
    this.running = null;
    this.schedule(this.again ? soonMs : everyMs * (0.5 + Math.random()));
  }
}
