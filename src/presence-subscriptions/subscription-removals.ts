import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { type RemovalPortion, RemovalsService } from '../removals/removals.service.js';
import { PresenceStatesRepository } from './presence-states.repository.js';
import { SubscriptionsRepository } from './subscriptions.repository.js';

/** A subscription, and the watcher count that includes it. */
const rowsPerSubscription = 2;

/** Removes the subscriptions of deleted users, and those of others to them, in portions. */
@Injectable()
export class SubscriptionRemovals {
  constructor(
    private readonly database: Database,
    private readonly states: PresenceStatesRepository,
    private readonly subscriptions: SubscriptionsRepository,
    removals: RemovalsService,
  ) {
    removals.register('user', (portion) => this.deleteOwn(portion));
    removals.register('user', (portion) => this.deleteOfOthers(portion));
  }

  private async deleteOwn({ transaction, appId, subjects, maxRows }: RemovalPortion): Promise<number> {
    const these = this.database.dialect.among('subscriber_uuid', subjects);
    const own = await transaction.read<{ subscriber_uuid: string; target_uuid: string }>(
      `SELECT subscriber_uuid, target_uuid FROM presence_subscriptions WHERE app_id = ? AND ${these.sql} LIMIT ?`,
      [appId, ...these.values, Math.ceil(maxRows / rowsPerSubscription)],
    );
    if (own.length === 0) return 0;
    await this.states.lock(transaction, appId, [...new Set(own.map((row) => row.target_uuid))]);
    for (const [subscriber, rows] of byKey(own, (row) => row.subscriber_uuid))
      await this.subscriptions.delete(
        transaction,
        appId,
        subscriber,
        rows.map((row) => row.target_uuid),
      );
    return own.length * rowsPerSubscription;
  }

  /** No watcher count to adjust: the state of a deleted user is gone. */
  private async deleteOfOthers({ transaction, appId, subjects, maxRows }: RemovalPortion): Promise<number> {
    const { among, forceIndex, forceIndexToChange } = this.database.dialect;
    const index = 'presence_subscriptions_by_target';
    const these = among('target_uuid', subjects);
    const found = await transaction.read<{ subscriber_uuid: string; target_uuid: string }>(
      `SELECT subscriber_uuid, target_uuid FROM presence_subscriptions${forceIndex(index)}` +
        ` WHERE app_id = ? AND ${these.sql} LIMIT ?`,
      [appId, ...these.values, maxRows],
    );
    for (const [target, rows] of byKey(found, (row) => row.target_uuid)) {
      const subscribers = among('subscriber_uuid', rows.map((row) => row.subscriber_uuid).sort());
      await transaction.run(
        `DELETE FROM presence_subscriptions${forceIndexToChange(index)}` +
          ` WHERE app_id = ? AND target_uuid = ? AND ${subscribers.sql}`,
        [appId, target, ...subscribers.values],
      );
    }
    return found.length;
  }
}

function byKey<Row>(rows: readonly Row[], keyOf: (row: Row) => string): Map<string, Row[]> {
  const found = new Map<string, Row[]>();
  for (const row of rows) {
    const some = found.get(keyOf(row));
    if (some === undefined) found.set(keyOf(row), [row]);
    else some.push(row);
  }
  return found;
}
