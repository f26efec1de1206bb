import { Injectable } from '@nestjs/common';
import type { App } from '../apps/app.js';
import { AppsService } from '../apps/apps.service.js';
import { AuditTrail } from '../audit/audit-trail.service.js';
import { Clock } from '../clock/clock.js';
import { readOnlineCursor, writeOnlineCursor } from '../cursors/online-cursor.js';
import { outsideUnits } from '../database/unit-of-work.js';
import { AppError } from '../errors/app-error.js';
import type { User } from '../users/user.js';
import { UserChangesService } from '../users/user-changes.service.js';
import { UserEvents } from '../users/user-events.js';
import { isUuid, usernameKey } from '../users/username.js';
import { UsersService } from '../users/users.service.js';
import { NodeSessions } from './node-sessions.js';
import { NodeSignals } from './node-signals.service.js';
import { Outages } from './outages.js';
import type { PresenceNotice, Watcher } from './presence-notice.js';
import { maxNamesPerRead, PresenceStore, renewEveryMs } from './presence.store.js';
import { nodeIdOf, type Session, type SessionConnection, type SessionEnd, type SessionRequest } from './session.js';
import { SessionEvents } from './session-events.js';
import { SessionSignals } from './session-signals.js';
import { StoreSweep } from './store-sweep.js';
import { sweepEveryMs, UserSweep } from './user-sweep.js';

/** Users that one presence query may name. */
export const maxStatusUsers = maxNamesPerRead;

const expireEveryMs = 1_000;
/** How far a user's row may run ahead of the signal that says what happened to them, if there is one. */
const signalWithinMs = 1_000;
export interface UserPresence {
  readonly sessions: readonly Session[];
  /** Unix milliseconds at which this held. */
  readonly asOf: number;
  /** False while Redis is unavailable: then only the sessions of this node are known. */
  readonly complete: boolean;
}

export interface OnlineUsers {
  readonly users: readonly { readonly username: string; readonly sessions: readonly Session[] }[];
  /** All online users, not only those on this page. */
  readonly total: number;
  /** Where the next page begins; null: no more pages. */
  readonly cursor: string | null;
  readonly complete: boolean;
}

export interface OnlineNames {
  readonly usernames: readonly string[];
  /** All online users, not only those after a name. */
  readonly total: number;
  /** False while Redis is unavailable: then only the sessions of this node are known. */
  readonly complete: boolean;
}

/**
 * Owns who is connected: opens sessions behind a fence, answers who is online, ends sessions on any node, and keeps
 * both correct when signals are lost, Redis loses data, or a node dies.
 */
@Injectable()
export class PresenceService {
  /** Users looked up since the start. */
  lookups = 0;
  private readonly outages = new Outages();
  private readonly sessions: NodeSessions;
  private readonly router: SessionSignals;
  private readonly storeSweep: StoreSweep;
  private readonly userSweep: UserSweep;
  private readonly timers: NodeJS.Timeout[] = [];
  private renewedAt: number | null = null;
  private beating = false;
  private stopped = false;

  constructor(
    private readonly store: PresenceStore,
    private readonly signals: NodeSignals,
    private readonly users: UsersService,
    apps: AppsService,
    private readonly clock: Clock,
    events: SessionEvents,
    userEvents: UserEvents,
    userChanges: UserChangesService,
    private readonly audit: AuditTrail,
  ) {
    this.sessions = new NodeSessions({
      ...{ store, clock, events, outages: this.outages },
      closeReplaced: (session) => this.router.close(session, 'replaced'),
      checkUsers: () => this.userSweep.lookAtAll(),
    });
    this.router = new SessionSignals(this.sessions, signals, store, clock, this.outages);
    this.storeSweep = new StoreSweep(store, this.sessions.local, () => this.sessions.announceMissing());
    this.userSweep = new UserSweep(this.sessions.local, users, apps, userChanges, clock, {
      judge: (local, user, patienceMs) => this.sessions.judge(local, user, patienceMs),
      endAll: (sessions, reason) => sessions.forEach((local) => this.sessions.end(local, reason)),
    });
    userEvents.subscribe((event) => this.router.tell(event));
  }

  /** Makes this process a node that holds sessions. Without it (the command line) it can only look up and kick. */
  start(): void {
    this.signals.listen(
      (signal) => outsideUnits(() => this.router.receive(signal)),
      () => outsideUnits(() => void this.onSignalsLost()),
    );
    const every = (ms: number, work: () => unknown): void => void this.timers.push(setInterval(work, ms).unref());
    every(renewEveryMs, () => this.beat());
    every(expireEveryMs, () => this.sessions.expireDue());
    every(sweepEveryMs, () => this.outages.ask(() => this.userSweep.run(signalWithinMs)));
    void this.beat();
  }

  /** Sessions on this node. */
  get size(): number {
    return this.sessions.local.size;
  }

  /** Nodes alive, this one included. */
  get liveNodes(): number {
    return Math.max(1, this.store.liveNodes);
  }

  /** Milliseconds since this node's lease was renewed; null: never. */
  get leaseAgeMs(): number | null {
    return this.renewedAt === null ? null : this.clock.monotonic() - this.renewedAt;
  }

  /**
   * Opens a session: announces it first, and only then rereads the user. Revocations commit first and look for sessions
   * afterwards, so one of the two always sees the other.
   * @returns null when the session is not allowed; then `connection` was already kicked
   * @throws AppError database_unavailable
   */
  async open(app: App, request: SessionRequest, connection: SessionConnection): Promise<Session | null> {
    const local = await this.sessions.add(app, request, connection);
    let user: User | null;
    try {
      user = await this.users.findByUuid(app.id, request.userUuid);
    } catch (error) {
      this.sessions.end(local, 'left');
      throw error;
    }
    return this.sessions.open(local, user) ? local.session : null;
  }

  /** The connection of a session on this node is gone, or the gateway has cut it. Idempotent. */
  close(sessionId: string, reason: SessionEnd): void {
    const local = this.sessions.local.get(sessionId);
    if (local !== undefined) this.sessions.end(local, reason);
  }

  /**
   * For each name, in any form, whether a user of that name is online. The database is not queried: unknown users are
   * offline. @throws AppError argument_invalid, batch_too_large
   */
  async online(appId: string, names: readonly string[]): Promise<boolean[]> {
    if (names.length === 0) throw new AppError('argument_invalid', { detail: 'usernames must not be empty' });
    if (names.length > maxStatusUsers)
      throw new AppError('batch_too_large', { count: names.length, limit: maxStatusUsers });
    const keys = names.map(usernameKey);
    const online = new Set(keys.filter((key) => key !== null && this.sessions.openOf(appId, key).length > 0));
    const unknown = [...new Set(keys.filter((key) => key !== null && !online.has(key)))] as string[];
    this.lookups += names.length;
    if (unknown.length > 0) {
      const answers = await this.outages.ask(() => this.store.online(appId, unknown));
      unknown.forEach((key, index) => answers?.[index] === true && online.add(key));
    }
    return keys.map((key) => key !== null && online.has(key));
  }

  /** A user's sessions, oldest first. @throws AppError user_not_found, if no user of that name is online either */
  async of(appId: string, nameOrUuid: string): Promise<UserPresence> {
    // Only the database can resolve a uuid, and it takes precedence over a user of that name.
    if (isUuid(nameOrUuid)) return this.ofKey(appId, (await this.users.get(appId, nameOrUuid)).username);
    const presence = await this.ofKey(appId, usernameKey(nameOrUuid) ?? '');
    if (presence.sessions.length === 0) await this.users.get(appId, nameOrUuid);
    return presence;
  }

  /** Online users in alphabetical order. @throws AppError cursor_invalid */
  async list(appId: string, limit: number, cursor: string | null): Promise<OnlineUsers> {
    const after = cursor === null ? '' : readOnlineCursor(appId, cursor);
    const page = await this.outages.ask(() => this.store.page(appId, after, limit + 1));
    const { usernames, total } = page ?? this.pageHere(appId, after, limit + 1);
    const taken = usernames.slice(0, limit);
    const sessions = taken.length === 0 ? [] : await this.outages.ask(() => this.store.sessions(appId, taken));
    this.lookups += taken.length;
    const users = taken.map((username, index) => ({
      username,
      sessions: this.merge(appId, username, sessions?.[index] ?? []),
    }));
    const last = taken.at(-1);
    return {
      // Users who left in between are not shown, but the cursor still moves past them.
      users: users.filter((user) => user.sessions.length > 0),
      total,
      cursor: usernames.length > limit && last !== undefined ? writeOnlineCursor(appId, last) : null,
      complete: page !== null && sessions !== null,
    };
  }

  /** The names of up to `limit` online users after `after`, in alphabetical order. The database is not queried. */
  async namesAfter(appId: string, after: string, limit: number): Promise<OnlineNames> {
    const page = await this.outages.ask(() => this.store.page(appId, after, limit));
    return { ...(page ?? this.pageHere(appId, after, limit)), complete: page !== null };
  }

  /**
   * Ends the session on one device; its token stays valid.
   * @returns whether there was one @throws AppError user_not_found
   */
  async disconnectDevice(appId: string, nameOrUuid: string, resource: string): Promise<boolean> {
    const { sessions } = await this.of(appId, nameOrUuid);
    const meant = sessions.filter((session) => session.resource === resource);
    const [first] = meant;
    if (first === undefined) return false;
    const target = { target: first.username, targetUuid: first.userUuid };
    await this.audit.recordAlone(appId, [{ action: 'user.disconnect', ...target, before: { resource } }]);
    await Promise.all(meant.map((session) => this.router.close(session, 'forced_offline')));
    return true;
  }

  /** Tells the connections of these users, on any node, that something new waits for them. Never fails. */
  wake(appId: string, usernames: readonly string[]): Promise<void> {
    return this.router.wake(appId, usernames);
  }

  /** Sends the sessions of these watchers, on any node, a presence notice. Never fails. */
  tell(appId: string, watchers: readonly Watcher[], notice: PresenceNotice): Promise<void> {
    return this.router.tellWatchers(appId, watchers, notice);
  }

  /** The sessions of each of these users, by folded name and in their order. The database is not queried. */
  sessionsOf(appId: string, usernames: readonly string[]): Promise<Session[][]> {
    return Promise.all(usernames.map(async (username) => [...(await this.ofKey(appId, username)).sessions]));
  }

  /** Ends every session of this node and releases its lease. Nothing can be opened afterwards. */
  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    for (const timer of this.timers) clearInterval(timer);
    await this.sessions.stop();
  }

  private async ofKey(appId: string, username: string): Promise<UserPresence> {
    const asOf = this.clock.now();
    this.lookups += 1;
    const sessions = username === '' ? [] : await this.router.sessionsOf(appId, username);
    return { sessions: this.merge(appId, username, sessions ?? []), asOf, complete: sessions !== null };
  }

  /** The store's view of other nodes, and the local view of this one. */
  private merge(appId: string, username: string, sessions: readonly Session[]): Session[] {
    const others = sessions.filter((session) => nodeIdOf(session.node) !== this.store.nodeId);
    const own = this.sessions.openOf(appId, username).map((local) => local.session);
    return [...others, ...own].sort((one, other) => one.since - other.since);
  }

  private pageHere(appId: string, after: string, limit: number): { usernames: string[]; total: number } {
    const open = [...this.sessions.local].filter((local) => local.app.id === appId && local.state === 'open');
    const usernames = [...new Set(open.map((local) => local.session.username))].sort();
    return { usernames: usernames.filter((name) => name > after).slice(0, limit), total: usernames.length };
  }

  /** The heartbeat, which also retries whatever could not reach the store before. */
  private async beat(): Promise<void> {
    if (this.beating || this.stopped) return;
    this.beating = true;
    try {
      const appIds = [...this.sessions.local.byApp().keys()];
      const kept = await this.outages.ask(() => this.store.renew(appIds));
      if (kept === null) return;
      this.renewedAt = this.clock.monotonic();
      this.outages.over();
      if (kept) await this.sessions.withdrawAgain();
      else await this.sessions.startAnew();
      await this.sessions.announceMissing();
      // Not awaited: with many sessions and a slow Redis it would delay the next renewal.
      void this.outages.ask(() => this.storeSweep.run(appIds));
      await this.signals.take();
    } finally {
      this.beating = false;
    }
  }

  private async onSignalsLost(): Promise<void> {
    await this.sessions.announceAgain();
    await this.signals.take();
  }
}
