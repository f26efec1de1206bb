import { setTimeout as sleep } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Injectable, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import type { KeyRange, KeyWalk } from '../database/key-range.js';
import { outsideUnits } from '../database/unit-of-work.js';
import { AppError } from '../errors/app-error.js';
import { runReaction } from '../logging/reaction.js';
import { PresenceService } from '../presence/presence.service.js';
import { SessionEvents } from '../presence/session-events.js';
import { usernameKey } from '../users/username.js';
import { UsersService } from '../users/users.service.js';
import { LastSeenRepository } from './last-seen.repository.js';
import { type Sighting, Sightings } from './sightings.js';

const storeEveryMs = 5_000;
const rowsPerStatement = 200;
/** The pause after each statement is this many times as long as the statement took. */
const restPerWork = 2;
const maxRestMs = 100;

export interface UserStatus {
  readonly online: boolean;
  /** Unix milliseconds: now if online, the time of registration if never seen; null: there is no such user. */
  readonly seenAt: number | null;
}

/**
 * Owns when users were last online. A user is seen while at least one session is open. Logging in and out is stored
 * within seconds, and then every five minutes: written by a timer in batches, never by the call or frame of a user.
 * A node that dies loses what it had not stored: up to five minutes of its online users.
 */
@Injectable()
export class LastSeenService implements OnModuleInit, BeforeApplicationShutdown {
  private readonly sightings = new Sightings();
  private storing: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private busy = false;
  private stopped = false;

  constructor(
    private readonly repository: LastSeenRepository,
    private readonly presence: PresenceService,
    private readonly users: UsersService,
    private readonly clock: Clock,
    events: SessionEvents,
  ) {
    events.subscribe(({ type, session }) =>
      type === 'opened' ? this.sightings.opened(session) : this.sightings.closed(session, this.clock.now()),
    );
  }

  onModuleInit(): void {
    this.timer = setInterval(() => {
      // A round that takes longer is not followed by a queue of others.
      if (!this.busy) runReaction(() => this.storeDue());
    }, storeEveryMs).unref();
  }

  /** Once the sessions of this node have ended: the end of each is stored. */
  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.presence.stop();
    this.stopped = true;
    await this.storeDue();
  }

  /** Up to 100 users by name, in their order. @throws AppError argument_invalid, batch_too_large */
  async statusesOf(appId: string, names: readonly string[]): Promise<UserStatus[]> {
    const online = await this.presence.online(appId, names);
    const now = this.clock.now();
    const offline = names.filter((_name, index) => online[index] !== true);
    const users = await this.users.findAll(appId, offline);
    const seen = await this.of(
      appId,
      users.map(({ uuid }) => uuid),
    );
    const seenAt = new Map(users.map(({ username, uuid, createdAt }) => [username, seen.get(uuid) ?? createdAt]));
    return names.map((name, index) =>
      online[index] === true
        ? { online: true, seenAt: now }
        : { online: false, seenAt: seenAt.get(usernameKey(name) ?? '') ?? null },
    );
  }

  /** The stored times, in Unix milliseconds by uuid, in one statement: up to five minutes old for online users. */
  stored(appId: string, uuids: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return this.repository.findAll(appId, uuids);
  }

  /** The next users of a walk by the stored time, which may be five minutes old for online users. */
  async walk(appId: string, walk: KeyWalk<number>): Promise<{ uuid: string; at: number }[]> {
    return (await this.repository.walk(appId, walk)).map(({ user_uuid: uuid, at }) => ({ uuid, at }));
  }

  /** How many users have a stored time in this range, up to `max`. */
  count(appId: string, range: KeyRange<number>, max: number): Promise<number> {
    return this.repository.count(appId, range, max);
  }

  /** Stores what is due, after what is being stored already. A failure is left to the next round. */
  storeDue(): Promise<void> {
    const storing = this.storing.then(() => outsideUnits(() => this.storeAll()));
    this.storing = storing.catch(() => undefined);
    return storing;
  }

  /** Unix milliseconds by uuid, with what this node has not stored yet; those who were never seen are left out. */
  private async of(appId: string, uuids: readonly string[]): Promise<Map<string, number>> {
    const seen = await this.repository.findAll(appId, uuids);
    const now = this.clock.now();
    for (const uuid of uuids) {
      const here = this.sightings.lastOf(appId, uuid, now);
      if (here !== null) seen.set(uuid, Math.max(here, seen.get(uuid) ?? 0));
    }
    return seen;
  }

  private async storeAll(): Promise<void> {
    this.busy = true;
    try {
      const due = this.sightings.takeDue(this.clock.monotonic(), this.stopped);
      for (const [appId, sightings] of byApp(due))
        for (let start = 0; start < sightings.length; start += rowsPerStatement)
          await this.store(appId, sightings.slice(start, start + rowsPerStatement));
    } catch (error) {
      // The outage of a database is logged already.
      if (!(error instanceof AppError) || error.code === 'internal') throw error;
    } finally {
      this.busy = false;
    }
  }

  private async store(appId: string, sightings: readonly Sighting[]): Promise<void> {
    const startedAt = performance.now();
    const now = this.clock.now();
    const seen = sightings.map(({ uuid, username, sessions, endedAt }) => ({
      uuid,
      username,
      at: sessions > 0 ? now : endedAt,
    }));
    await this.repository.store(appId, seen);
    const storedAt = this.clock.monotonic();
    sightings.forEach((sighting, index) => Object.assign(sighting, { stored: seen[index]?.at, storedAt }));
    const workedMs = performance.now() - startedAt;
    if (!this.stopped) await sleep(Math.min(maxRestMs, workedMs * restPerWork));
  }
}

function byApp(sightings: readonly Sighting[]): Map<string, Sighting[]> {
  const apps = new Map<string, Sighting[]>();
  for (const sighting of sightings) {
    const known = apps.get(sighting.appId);
    if (known === undefined) apps.set(sighting.appId, [sighting]);
    else known.push(sighting);
  }
  return apps;
}
