import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { outsideUnits } from '../database/unit-of-work.js';
import { DueBansService } from './due-bans.service.js';

const everyMs = 500;

/** Begins planned bans, and stores the end of others, within half a second of their time. */
@Injectable()
export class DueBansSweep implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Bans');
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private failing = false;
  private stopped = false;

  constructor(private readonly dueBans: DueBansService) {}

  onApplicationBootstrap(): void {
    this.schedule();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private schedule(): void {
    if (this.stopped) return;
    outsideUnits(() => {
      this.timer = setTimeout(() => void (this.running = this.sweep()), everyMs).unref();
    });
  }

  private async sweep(): Promise<void> {
    try {
      await this.dueBans.settleDue(() => !this.stopped);
      this.failing = false;
    } catch (error) {
      // Once per outage: the next round finds the same bans.
      if (!this.failing) this.logger.warn(`Could not begin or end bans: ${(error as Error).message}`);
      this.failing = true;
    }
    this.schedule();
  }
}
