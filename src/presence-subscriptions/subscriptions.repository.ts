import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.service.js';
import { Database, type Transaction } from '../database/database.js';
import { AppError } from '../errors/app-error.js';
import type { Watcher } from '../presence/presence-notice.js';
import { targetOf } from '../users/user-audit.js';
import type { User } from '../users/user.js';
import { UsersService } from '../users/users.service.js';
import { newState, PresenceStatesRepository, stateColumns } from './presence-states.repository.js';

export interface Subscription {
  readonly username: string;
  /** Unix milliseconds. */
  readonly expiresAt: number;
}

/** Users that one user may watch, and watchers that one user may have; the vendor's limit. */
export const maxSubscriptions = 3_000;
const columns = ['app_id', 'subscriber_uuid', 'target_uuid', 'expires_at'];
/** Expired subscriptions per transaction: each is a statement. */
export const prunedAtOnce = 100;

/** Reads and changes subscriptions, and keeps the watcher counts in step. */
@Injectable()
export class SubscriptionsRepository {
  constructor(
    private readonly database: Database,
    private readonly states: PresenceStatesRepository,
    private readonly users: UsersService,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * Subscribes a user to those of these names that exist; existing subscriptions get the new expiry.
   * @returns false when the subscriber is gone @throws AppError subscriptions_full, with nothing changed
   */
  subscribe(appId: string, subscriber: User, names: readonly string[], expiresAt: number, now: number) {
    return this.database.write(async (transaction): Promise<boolean> => {
      const held = await this.users.lockForUpdate(transaction, appId, [subscriber.username, ...names]);
      if (!held.some(({ uuid }) => uuid === subscriber.uuid)) return false;
      const targets = held.filter(({ uuid }) => uuid !== subscriber.uuid);
      if (targets.length === 0) return true;
      const uuids = targets.map(({ uuid }) => uuid);
      await this.subscribeTo(transaction, appId, subscriber.uuid, uuids, expiresAt, now);
      const after = { users: targets.map(({ username }) => username), expires_at: expiresAt };
      await this.audit.record(transaction, appId, [
        { action: 'user.subscribe_presence', ...targetOf(subscriber), after, count: targets.length },
      ]);
      return true;
    }, appId);
  }

  /** Ends subscriptions; missing ones are ignored. */
  unsubscribe(appId: string, subscriber: User, targets: readonly User[]): Promise<void> {
    return this.database.write(async (transaction) => {
      const uuids = targets.map(({ uuid }) => uuid);
      await this.states.lock(transaction, appId, uuids);
      const ended = new Set(await this.delete(transaction, appId, subscriber.uuid, uuids));
      if (ended.size === 0) return;
      const users = targets.filter(({ uuid }) => ended.has(uuid)).map(({ username }) => username);
      await this.audit.record(transaction, appId, [
        { action: 'user.unsubscribe_presence', ...targetOf(subscriber), before: { users }, count: users.length },
      ]);
    }, appId);
  }

  /** Up to `limit` users that a user watches, after the uuid `after`, in uuid order. */
  async list(appId: string, subscriberUuid: string, now: number, after: string, limit: number) {
    const { selectInOrder, forceIndex } = this.database.dialect;
    const rows = await this.database.read<{ target_uuid: string; username: string; expires_at: number }>(
      `${selectInOrder} s.target_uuid, s.expires_at, u.username FROM presence_subscriptions s` +
        ` CROSS JOIN users u${forceIndex('users_by_uuid')} ON u.app_id = s.app_id AND u.uuid = s.target_uuid` +
        ' WHERE s.app_id = ? AND s.subscriber_uuid = ? AND s.target_uuid > ? AND s.expires_at > ?' +
        ' ORDER BY s.target_uuid LIMIT ?',
      [appId, subscriberUuid, after, now, limit],
      appId,
    );
    return rows.map(({ target_uuid: uuid, username, expires_at: expiresAt }) => ({ uuid, username, expiresAt }));
  }

  /** Up to `limit` watchers of a user, after the uuid `after`, in uuid order. */
  watchers(appId: string, targetUuid: string, now: number, after: string, limit: number): Promise<Watcher[]> {
    const { selectInOrder, forceIndex } = this.database.dialect;
    return this.database.read<Watcher>(
      `${selectInOrder} u.uuid, u.username FROM presence_subscriptions s${forceIndex('presence_subscriptions_by_target')}` +
        ` CROSS JOIN users u${forceIndex('users_by_uuid')} ON u.app_id = s.app_id AND u.uuid = s.subscriber_uuid` +
        ' WHERE s.app_id = ? AND s.target_uuid = ? AND s.subscriber_uuid > ? AND s.expires_at > ?' +
        ' ORDER BY s.subscriber_uuid LIMIT ?',
      [appId, targetUuid, after, now, limit],
      appId,
    );
  }

  /** Deletes up to 100 expired subscriptions. @returns how many were found */
  async prune(appId: string, now: number): Promise<number> {
    const due = await this.database.read<{ subscriber_uuid: string; target_uuid: string }>(
      `SELECT subscriber_uuid, target_uuid FROM presence_subscriptions${this.database.dialect.forceIndex('presence_subscriptions_by_expiry')}` +
        ' WHERE app_id = ? AND expires_at <= ? ORDER BY expires_at LIMIT ?',
      [appId, now, prunedAtOnce],
      appId,
    );
    if (due.length === 0) return 0;
    await this.database.write(async (transaction) => {
      const targets = [...new Set(due.map((row) => row.target_uuid))];
      await this.states.lock(transaction, appId, targets);
      const ended = new Map<string, number>();
      for (const { subscriber_uuid: subscriber, target_uuid: target } of due) {
        // It may have been renewed since.
        const deleted = await transaction.run(
          'DELETE FROM presence_subscriptions WHERE app_id = ? AND subscriber_uuid = ? AND target_uuid = ? AND expires_at <= ?',
          [appId, subscriber, target, now],
        );
        ended.set(target, (ended.get(target) ?? 0) - deleted);
      }
      await this.states.addWatchers(transaction, appId, ended);
    }, appId);
    return due.length;
  }

  /** Deletes a user's subscriptions to these, whose states are locked, and lowers the watcher counts. @returns whom it was */
  async delete(
    transaction: Transaction,
    appId: string,
    subscriberUuid: string,
    targetUuids: readonly string[],
  ): Promise<string[]> {
    const found = (await this.find(transaction, appId, subscriberUuid, targetUuids)).map((row) => row.target_uuid);
    if (found.length === 0) return [];
    const these = this.database.dialect.among('target_uuid', found);
    await transaction.run(
      `DELETE FROM presence_subscriptions WHERE app_id = ? AND subscriber_uuid = ? AND ${these.sql}`,
      [appId, subscriberUuid, ...these.values],
    );
    await this.states.addWatchers(transaction, appId, new Map(found.map((uuid) => [uuid, -1])));
    return found;
  }

  private async subscribeTo(
    transaction: Transaction,
    appId: string,
    subscriberUuid: string,
    targetUuids: readonly string[],
    expiresAt: number,
    now: number,
  ): Promise<void> {
    const states = new Map(
      (await this.states.lock(transaction, appId, targetUuids)).map((row) => [row.user_uuid, row] as const),
    );
    const found = await this.find(transaction, appId, subscriberUuid, targetUuids);
    const active = found.filter((row) => row.expires_at > now).length;
    const others = await this.countActive(transaction, appId, subscriberUuid, now);
    if (others - active + targetUuids.length > maxSubscriptions)
      throw new AppError('subscriptions_full', { limit: maxSubscriptions });
    const known = new Set(found.map((row) => row.target_uuid));
    const fresh = targetUuids.filter((uuid) => !known.has(uuid));
    if (fresh.some((uuid) => (states.get(uuid)?.watchers ?? 0) >= maxSubscriptions))
      throw new AppError('subscriptions_full', { limit: maxSubscriptions });
    if (known.size > 0) {
      const these = this.database.dialect.among('target_uuid', [...known].sort());
      await transaction.run(
        `UPDATE presence_subscriptions SET expires_at = ? WHERE app_id = ? AND subscriber_uuid = ? AND ${these.sql}`,
        [expiresAt, appId, subscriberUuid, ...these.values],
      );
    }
    const unkept = fresh.filter((uuid) => !states.has(uuid));
    if (unkept.length > 0)
      await transaction.insert(
        'presence_states',
        stateColumns,
        unkept.sort().map((uuid) => ({ ...newState(appId, uuid) })),
      );
    if (fresh.length === 0) return;
    await transaction.insert(
      'presence_subscriptions',
      columns,
      fresh.sort().map((uuid) => ({
        ...{ app_id: appId, subscriber_uuid: subscriberUuid, target_uuid: uuid, expires_at: expiresAt },
      })),
    );
    await this.states.addWatchers(transaction, appId, new Map(fresh.map((uuid) => [uuid, 1])));
  }

  private find(transaction: Transaction, appId: string, subscriberUuid: string, targetUuids: readonly string[]) {
    const { among, forUpdate } = this.database.dialect;
    const these = among('target_uuid', targetUuids.toSorted());
    return transaction.read<{ target_uuid: string; expires_at: number }>(
      'SELECT target_uuid, expires_at FROM presence_subscriptions' +
        ` WHERE app_id = ? AND subscriber_uuid = ? AND ${these.sql} ORDER BY target_uuid${forUpdate}`,
      [appId, subscriberUuid, ...these.values],
    );
  }

  /** The subscriber is locked, so none can be added meanwhile. */
  private async countActive(transaction: Transaction, appId: string, subscriberUuid: string, now: number) {
    const [row] = await transaction.read<{ count: number | string }>(
      // The addition keeps SQLite off the expiry index, which would scan the whole app here.
      'SELECT COUNT(target_uuid) AS count FROM presence_subscriptions' +
        ' WHERE app_id = ? AND subscriber_uuid = ? AND expires_at + 0 > ?',
      [appId, subscriberUuid, now],
    );
    return Number(row?.count ?? 0);
  }
}
