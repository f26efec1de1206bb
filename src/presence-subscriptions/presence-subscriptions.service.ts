import { Injectable } from '@nestjs/common';
import { AppsService } from '../apps/apps.service.js';
import { Clock } from '../clock/clock.js';
import { breathe } from '../database/costly-reads.js';
import { afterCommit, outsideUnits } from '../database/unit-of-work.js';
import { AppError } from '../errors/app-error.js';
import type { PresenceNotice } from '../presence/presence-notice.js';
import { PresenceService } from '../presence/presence.service.js';
import { type SessionEvent, SessionEvents } from '../presence/session-events.js';
import { UserEvents } from '../users/user-events.js';
import { foldUsername, usernameKey } from '../users/username.js';
import { UsersService } from '../users/users.service.js';
import { PresenceNotices, toNotice } from './presence-notices.js';
import { PresenceStatesRepository } from './presence-states.repository.js';
import { checkPublished, type PublishedPresence } from './published-presence.js';
import { prunedAtOnce, type Subscription, SubscriptionsRepository } from './subscriptions.repository.js';

/** Users that one call may name. */
export const maxUsersPerCall = 100;
/** 30 days. */
export const maxExpirySeconds = 2_592_000;
const listedAtOnce = 1_000;

export interface SubscriptionPage {
  /** All subscriptions, not only those on this page. */
  readonly total: number;
  readonly subscriptions: readonly Subscription[];
}

/** Owns the presence that users publish, and who is notified when it changes. */
@Injectable()
export class PresenceSubscriptionsService {
  constructor(
    private readonly states: PresenceStatesRepository,
    private readonly subscriptions: SubscriptionsRepository,
    private readonly notices: PresenceNotices,
    private readonly presence: PresenceService,
    private readonly users: UsersService,
    private readonly apps: AppsService,
    private readonly clock: Clock,
    sessionEvents: SessionEvents,
    userEvents: UserEvents,
  ) {
    // A call that ends a session may share a transaction with its response; this must stay outside it.
    sessionEvents.subscribe((event) => outsideUnits(() => this.notices.follow(this.noteSession(event))));
    userEvents.onDeleteInTransaction((transaction, appId, deleted) =>
      this.states.deleteAll(
        transaction,
        appId,
        deleted.map((user) => user.uuid),
      ),
    );
  }

  /**
   * Publishes the status of one device with an accompanying text, and notifies the watchers.
   * @throws AppError user_not_found, presence_resource_illegal, presence_status_illegal, presence_ext_too_large,
   *   argument_invalid
   */
  async publish(appId: string, nameOrUuid: string, published: PublishedPresence): Promise<void> {
    checkPublished(published);
    const user = await this.users.get(appId, nameOrUuid);
    await this.states.publish(appId, user, published);
    afterCommit(() => this.notices.changed(appId, user));
  }

  /**
   * Subscribes a user to the presence of others until the subscriptions expire.
   * @returns their presence, in the order of the names, and when the subscriptions expire, in Unix seconds. An unknown
   *   name is offline and not subscribed to, even if somebody registers it later
   * @throws AppError user_not_found, argument_invalid, batch_too_large, subscription_to_self, subscriptions_full
   */
  async subscribe(appId: string, nameOrUuid: string, usernames: readonly string[], expirySeconds: number) {
    checkNames(usernames);
    if (!Number.isInteger(expirySeconds) || expirySeconds < 1 || expirySeconds > maxExpirySeconds)
      throw new AppError('argument_invalid', {
        detail: `expiry must be a whole number of seconds from 1 to ${maxExpirySeconds}`,
      });
    const user = await this.users.get(appId, nameOrUuid);
    const names = [...new Set(usernames.map(foldUsername))];
    if (names.includes(user.username)) throw new AppError('subscription_to_self');
    const now = this.clock.now();
    const expiresAt = (Math.floor(now / 1_000) + expirySeconds) * 1_000;
    if (!(await this.subscriptions.subscribe(appId, user, names, expiresAt, now))) throw new AppError('user_not_found');
    return { presences: await this.read(appId, usernames), expiresAt: expiresAt / 1_000 };
  }

  /**
   * Ends subscriptions of a user; missing ones are ignored.
   * @throws AppError user_not_found, argument_invalid, batch_too_large
   */
  async unsubscribe(appId: string, nameOrUuid: string, usernames: readonly string[]): Promise<void> {
    checkNames(usernames);
    const user = await this.users.get(appId, nameOrUuid);
    const targets = await this.users.findAll(appId, usernames);
    if (targets.length === 0) return;
    await this.subscriptions.unsubscribe(appId, user, targets);
  }

  /**
   * The presence of others, in the order of the names, whether or not the user watches them.
   * @throws AppError user_not_found, argument_invalid, batch_too_large
   */
  async of(appId: string, nameOrUuid: string, usernames: readonly string[]): Promise<PresenceNotice[]> {
    checkNames(usernames);
    await this.users.get(appId, nameOrUuid);
    return this.read(appId, usernames);
  }

  /**
   * The users that a user watches, in pages of `size` in a stable order.
   * @param page 1 for the first @throws AppError user_not_found
   */
  async list(appId: string, nameOrUuid: string, page: number, size: number): Promise<SubscriptionPage> {
    const { uuid } = await this.users.get(appId, nameOrUuid);
    const now = this.clock.now();
    const found: (Subscription & { readonly uuid: string })[] = [];
    for (;;) {
      const after = found.at(-1)?.uuid ?? '';
      const some = await this.subscriptions.list(appId, uuid, now, after, listedAtOnce);
      found.push(...some);
      if (some.length < listedAtOnce) break;
      await breathe();
    }
    return { total: found.length, subscriptions: found.slice((page - 1) * size, page * size) };
  }

  /** Removes expired subscriptions. Any number of nodes may do so at once. @returns how many were found */
  async pruneExpired(mayGoOn: () => boolean = () => true): Promise<number> {
    let pruned = 0;
    for (const { id: appId } of await this.apps.list())
      for (let found = prunedAtOnce; found === prunedAtOnce && mayGoOn(); pruned += found)
        found = await this.subscriptions.prune(appId, this.clock.now());
    return pruned;
  }

  private async read(appId: string, usernames: readonly string[]): Promise<PresenceNotice[]> {
    const users = new Map((await this.users.findAll(appId, usernames)).map((user) => [user.username, user]));
    const found = [...users.values()];
    const states = await this.states.findAll(
      appId,
      found.map((user) => user.uuid),
    );
    const sessions = await this.presence.sessionsOf(
      appId,
      found.map((user) => user.username),
    );
    const places = new Map(found.map(({ username }, place) => [username, place]));
    return usernames.map((written) => {
      const place = places.get(usernameKey(written) ?? '') ?? -1;
      const own = sessions[place]?.filter(({ userUuid }) => userUuid === found[place]?.uuid) ?? [];
      return toNotice(written, states[place] ?? null, own);
    });
  }

  /** A device came or went. If its user has no watchers and published nothing, this costs one batched lookup. */
  private async noteSession({ type, session, ...event }: SessionEvent): Promise<void> {
    const { appId, userUuid, username, resource } = session;
    const state = await this.states.find(appId, userUuid);
    if (state === null) return;
    // The same device already has another session.
    const replaced = 'reason' in event && event.reason === 'replaced';
    const left = type === 'closed' && !replaced ? resource : null;
    await this.states.touch(appId, { userUuid, at: this.clock.now(), left });
    if (state.watchers > 0) this.notices.changed(appId, { uuid: userUuid, username });
  }
}

function checkNames(usernames: readonly string[]): void {
  if (usernames.length === 0) throw new AppError('argument_invalid', { detail: 'usernames is empty' });
  if (usernames.length > maxUsersPerCall)
    throw new AppError('batch_too_large', { count: usernames.length, limit: maxUsersPerCall });
}
