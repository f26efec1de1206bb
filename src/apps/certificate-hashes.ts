import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { AppsRepository } from './apps.repository.js';

const everyMs = 60_000;

/**
 * Corrects, once a minute, hashes of certificates that nodes of an older version have left outdated: while nodes are
 * replaced one by one, both versions run. Until then, such an app is not found by its secret alone.
 */
@Injectable()
export class CertificateHashes implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Apps');
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly repository: AppsRepository) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.running = this.running.then(() => this.sweep());
    }, everyMs).unref();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  private async sweep(): Promise<void> {
    try {
      await this.repository.correctHashes();
    } catch (error) {
      // The next round finds the same apps.
      this.logger.warn(`Could not update the hashes of certificates: ${(error as Error).message}`);
    }
  }
}
