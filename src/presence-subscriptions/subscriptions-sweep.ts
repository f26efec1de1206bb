import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { PresenceSubscriptionsService } from './presence-subscriptions.service.js';

const everyMs = 60_000;

/** Removes expired subscriptions about once a minute, on every node. Until then they have no effect. */
@Injectable()
export class SubscriptionsSweep implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Presence');
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(private readonly subscriptions: PresenceSubscriptionsService) {}

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
    this.timer = setTimeout(
      () => {
        this.running = this.sweep();
      },
      everyMs * (0.5 + Math.random()),
    ).unref();
  }

  private async sweep(): Promise<void> {
    try {
      await this.subscriptions.pruneExpired(() => !this.stopped);
    } catch (error) {
      // Only time is lost: the next round finds them again.
      this.logger.warn(`Could not remove expired subscriptions: ${(error as Error).message}`);
    }
    this.schedule();
  }
}
