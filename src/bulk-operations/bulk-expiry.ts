import { Injectable } from '@nestjs/common';
import { AppsService } from '../apps/apps.service.js';
import { Minutely } from '../clock/minutely.js';
import { Database } from '../database/database.js';
import { RetentionClock } from '../retention/retention-clock.js';
import { BulkItemsRepository } from './bulk-items.repository.js';
import { BulkOperationsRepository } from './bulk-operations.repository.js';

const keptMs = 30 * 24 * 3_600_000;
const operationsPerRound = 20;
const itemsPerPortion = 300;
/** In how many of its rounds it works: about every ten minutes. */
const everyRounds = 10;

/** Removes operations 30 days after their end, with the results of each user, in portions. */
@Injectable()
export class BulkExpiry extends Minutely {
  private rounds = 0;

  constructor(
    private readonly apps: AppsService,
    private readonly database: Database,
    private readonly operations: BulkOperationsRepository,
    private readonly items: BulkItemsRepository,
    private readonly retention: RetentionClock,
  ) {
    super('BulkOperations', 'remove old operations');
  }

  /** @returns how many operations were removed */
  async run(mayGoOn: () => boolean = () => true): Promise<number> {
    let removed = 0;
    for (const { id: appId } of await this.apps.list()) {
      if (!mayGoOn()) break;
      for (let more = true; more && mayGoOn();) {
        const ids = await this.operations.listFinishedBefore(
          appId,
          this.retention.dueBefore(keptMs),
          operationsPerRound,
        );
        for (const id of ids) if (await this.remove(appId, id, mayGoOn)) removed += 1;
        more = ids.length === operationsPerRound;
      }
    }
    return removed;
  }

  protected async work(mayGoOn: () => boolean): Promise<void> {
    this.rounds += 1;
    if (this.rounds % everyRounds === 0) await this.run(mayGoOn);
  }

  private async remove(appId: string, id: number, mayGoOn: () => boolean): Promise<boolean> {
    for (let more = true; more && mayGoOn();)
      more = await this.database.write(async (transaction) => {
        const found = await this.items.deleteSome(transaction, appId, id, itemsPerPortion);
        if (found < itemsPerPortion) await this.operations.delete(transaction, appId, id);
        return found === itemsPerPortion;
      }, appId);
    return mayGoOn();
  }
}
