import { Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';

const everyMs = 60_000;

/**
 * Work that every node does about once a minute; the jitter keeps nodes from doing the same work at once. A failure is
 * logged, and the next round tries again.
 */
export abstract class Minutely implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger: Logger;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;

  /** @param name in the log @param task as in `Could not …` */
  constructor(
    name: string,
    private readonly task: string,
  ) {
    this.logger = new Logger(name);
  }

  /** @param mayGoOn false as soon as the node stops: then it ends early */
  protected abstract work(mayGoOn: () => boolean): Promise<unknown>;

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
    const begin = (): void => void (this.running = this.round());
    this.timer = setTimeout(begin, everyMs * (0.5 + Math.random())).unref();
  }

  private async round(): Promise<void> {
    try {
      await this.work(() => !this.stopped);
    } catch (error) {
      // Only time is lost: the next round finds the same rows.
      this.logger.warn(`Could not ${this.task}: ${(error as Error).message}`);
    }
    this.schedule();
  }
}
