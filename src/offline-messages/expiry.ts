import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { OfflineMessagesService } from './offline-messages.service.js';

const everyMs = 60_000;

/** Removes expired messages about once a minute, on every node; the jitter keeps nodes from doing the same work at once. */
@Injectable()
export class Expiry implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Expiry');
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(private readonly offlineMessages: OfflineMessagesService) {}

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
    );
    this.timer.unref();
  }

  private async sweep(): Promise<void> {
    try {
      await this.offlineMessages.expireDue(() => !this.stopped);
    } catch (error) {
      // Only time is lost: the next round finds the same messages.
      this.logger.warn(`Could not remove expired messages: ${(error as Error).message}`);
    }
    this.schedule();
  }
}
