import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { breathe } from '../database/costly-reads.js';
import { outsideUnits } from '../database/unit-of-work.js';
import { AppError } from '../errors/app-error.js';
import { runReaction } from '../logging/reaction.js';
import type { PresenceNotice, Watcher } from '../presence/presence-notice.js';
import { PresenceService } from '../presence/presence.service.js';
import type { Session } from '../presence/session.js';
import { type PresenceState, PresenceStatesRepository } from './presence-states.repository.js';
import { maxSubscriptions, SubscriptionsRepository } from './subscriptions.repository.js';

/** Between two notices about a user: a flapping device would flood thousands. */
const minPauseMs = 1_000;
const watchersAtOnce = 500;

/**
 * Notifies watchers of a user's presence. The first change is sent at once; changes within the next second are sent
 * together after it. A notice that cannot be delivered is lost, but REST always returns the current state.
 */
@Injectable()
export class PresenceNotices implements BeforeApplicationShutdown {
  /** Users with a notice in progress or just sent, and whether something has changed since. */
  private readonly underWay = new Map<string, { again: boolean }>();
  private readonly working = new Set<Promise<void>>();
  private stopped = false;

  constructor(
    private readonly states: PresenceStatesRepository,
    private readonly subscriptions: SubscriptionsRepository,
    private readonly presence: PresenceService,
    private readonly clock: Clock,
  ) {}

  /** Finishes pending work while the database is still there; this node's sessions have already ended. */
  async beforeApplicationShutdown(): Promise<void> {
    while (this.working.size > 0) await Promise.allSettled(this.working);
    this.stopped = true;
  }

  /**
   * Runs follow-up work after an event. A database outage is already logged; clients that need the state ask again.
   */
  async follow(work: Promise<void>): Promise<void> {
    this.working.add(work);
    try {
      await work;
    } catch (error) {
      if (!(error instanceof AppError) || error.code === 'internal') throw error;
    } finally {
      this.working.delete(work);
    }
  }

  /** Something about this user has changed. */
  changed(appId: string, user: Watcher): void {
    if (this.stopped) return;
    const key = `${appId} ${user.uuid}`;
    const before = this.underWay.get(key);
    if (before !== undefined) {
      before.again = true;
      return;
    }
    this.underWay.set(key, { again: false });
    outsideUnits(() => runReaction(() => this.follow(this.tellAndRest(key, appId, user))));
  }

  /** One notice at a time, so that the last one is correct. */
  private async tellAndRest(key: string, appId: string, user: Watcher): Promise<void> {
    try {
      await this.tell(appId, user);
    } finally {
      setTimeout(() => this.goOn(key, appId, user), minPauseMs).unref();
    }
  }

  private goOn(key: string, appId: string, user: Watcher): void {
    const again = this.underWay.get(key)?.again === true;
    this.underWay.delete(key);
    if (again) this.changed(appId, user);
  }

  private async tell(appId: string, { uuid, username }: Watcher): Promise<void> {
    const state = await this.states.find(appId, uuid);
    if (state === null || state.watchers === 0) return;
    const [sessions = []] = await this.presence.sessionsOf(appId, [username]);
    const own = sessions.filter(({ userUuid }) => userUuid === uuid);
    const notice = toNotice(username, state, own);
    let after = '';
    for (let told = 0; told < maxSubscriptions; told += watchersAtOnce) {
      const watchers = await this.subscriptions.watchers(appId, uuid, this.clock.now(), after, watchersAtOnce);
      await this.presence.tell(appId, watchers, notice);
      if (watchers.length < watchersAtOnce) return;
      after = (watchers.at(-1) as Watcher).uuid;
      await breathe();
    }
  }
}

/** Merges the user's published state with what the gateway knows. */
export function toNotice(username: string, state: PresenceState | null, sessions: readonly Session[]): PresenceNotice {
  const online = Object.fromEntries(sessions.map(({ resource }) => [resource, '1']));
  const sinceMs = sessions.map(({ since }) => since / 1_000);
  return {
    username,
    status: { ...online, ...state?.statuses },
    ext: state?.ext ?? '',
    lastTime: Math.floor(Math.max(state?.lastOnlineAt ?? 0, ...sinceMs) / 1_000),
  };
}
