import { Injectable, Logger } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import type { App } from '../apps/app.js';
import { AppsService } from '../apps/apps.service.js';
import { outlivesEpoch } from '../users/token-epoch.js';
import { Clock } from '../clock/clock.js';
import { Gatherer } from '../database/gatherer.js';
import { outsideUnits } from '../database/unit-of-work.js';
import { AppError } from '../errors/app-error.js';
import { RedisUnavailable } from '../redis/redis-unavailable.js';
import type { User } from '../users/user.js';
import { type UserEvent, UserEvents } from '../users/user-events.js';
import { UserChangesService } from '../users/user-changes.service.js';
import { isUuid, usernameKey } from '../users/username.js';
import { UsersService } from '../users/users.service.js';
import { type LocalSession, LocalSessions } from './local-sessions.js';
import { NodeSignals } from './node-signals.service.js';
import { readOnlineCursor, writeOnlineCursor } from '../cursors/online-cursor.js';
import { PresenceStore, renewEveryMs } from './presence.store.js';
import {
  type KickReason,
  kickReasons,
  type Session,
  type SessionConnection,
  type SessionEnd,
  type SessionRequest,
} from './session.js';
import { SessionEvents } from './session-events.js';
import type { Signal } from './signal.js';
import { StoreSweep } from './store-sweep.js';
import { sweepEveryMs, UserSweep } from './user-sweep.js';

/** Users whose presence one call may ask for. */
export const maxStatusUsers = 100;

const expireEveryMs = 1_000;
/** How long the row of a user is ahead of the signal that says what happened to them, if there is one. */
const signalWithinMs = 1_000;
/** Sessions that are announced at once. */
const announcedAtOnce = 200;
/** Sessions that wait for their withdrawal; beyond that the oldest are left over, and found by the store's sweep. */
const maxToWithdraw = 10_000;

const reasonOf: Readonly<Record<UserEvent['type'], KickReason>> = {
  banned: 'banned',
  deleted: 'deleted',
  password_changed: 'password_changed',
  tokens_revoked: 'token_revoked',
  forced_offline: 'forced_offline',
};

export interface UserPresence {
  readonly sessions: readonly Session[];
  /** Unix milliseconds at which this was true. */
  readonly asOf: number;
  /** False while Redis does not answer: then only the sessions of this node are known. */
  readonly complete: boolean;
}

export interface OnlineUsers {
  readonly users: readonly { readonly username: string; readonly sessions: readonly Session[] }[];
  /** All that are online, not only on this page. */
  readonly total: number;
  /** Where the next page begins; null: there is none. */
  readonly cursor: string | null;
  readonly complete: boolean;
}

/**
 * Owns who is connected: opens sessions behind a fence, answers who is online, ends sessions on whatever node they are,
 * and keeps both right when messages are lost, Redis forgets, or a node dies.
 */
@Injectable()
export class PresenceService {
  /** Users that were looked up since the start. */
  lookups = 0;
  private readonly logger = new Logger('Presence');
  private readonly local = new LocalSessions();
  /** Sessions that ended while the store did not answer. */
  private readonly toWithdraw = new Map<string, Session>();
  private readonly storeSweep: StoreSweep;
  private readonly userSweep: UserSweep;
  private readonly ofUser: Gatherer<string, Session[]>;
  private readonly timers: NodeJS.Timeout[] = [];
  private renewedAt: number | null = null;
  private beating = false;
  private announcing = false;
  private stopped = false;
  private complained = false;

  constructor(
    private readonly store: PresenceStore,
    private readonly signals: NodeSignals,
    private readonly users: UsersService,
    apps: AppsService,
    private readonly clock: Clock,
    private readonly events: SessionEvents,
    userEvents: UserEvents,
    userChanges: UserChangesService,
  ) {
    this.storeSweep = new StoreSweep(store, this.local, () => this.announceMissing());
    this.userSweep = new UserSweep(this.local, users, apps, userChanges, clock, {
      judge: (local, user, patienceMs) => this.judge(local, user, patienceMs),
      endAll: (sessions, reason) => sessions.forEach((local) => this.end(local, reason)),
    });
    this.ofUser = new Gatherer((appId, usernames) => this.store.sessions(appId, usernames), {
      rows: maxStatusUsers,
      runs: 4,
    });
    userEvents.subscribe((event) => this.onUserEvent(event));
  }

  /** Makes this process a node that holds sessions. Without it (the command line) it can look up and kick only. */
  start(): void {
    this.signals.listen(
      (signal) => outsideUnits(() => this.receive(signal)),
      () => outsideUnits(() => void this.announceAgain()),
    );
    const every = (ms: number, work: () => unknown): void => void this.timers.push(setInterval(work, ms).unref());
    every(renewEveryMs, () => this.beat());
    every(expireEveryMs, () => this.expireDue());
    every(sweepEveryMs, () => this.ask(() => this.userSweep.run(signalWithinMs)));
    void this.beat();
  }

  /** Sessions on this node. */
  get size(): number {
    return this.local.size;
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
   * Opens a session: makes it known first, and only then reads the user again. Whatever ends tokens commits first and
   * looks for sessions afterwards, so one of the two sees the other.
   * @returns null when the session may not be; then `connection` was kicked already
   * @throws AppError database_unavailable
   */
  async open(app: App, request: SessionRequest, connection: SessionConnection): Promise<Session | null> {
    const { issued, letInBy, expiresAtSeconds, device, ...rest } = request;
    const local: LocalSession = {
      app,
      issued,
      letInBy,
      expiresAtSeconds,
      connection,
      session: {
        appId: app.id,
        sessionId: randomBytes(12).toString('base64url'),
        ...rest,
        resource: `${rest.platform}_${device}`,
        node: this.store.nodeId,
        since: 0,
      },
      state: 'opening',
      announced: false,
      lookedAt: this.clock.monotonic(),
    };
    this.local.add(local);
    if (this.stopped) this.end(local, 'shutdown');
    await this.announce(local);
    let user: User | null;
    try {
      user = await this.users.findByUuid(app.id, request.userUuid);
    } catch (error) {
      this.end(local, 'left');
      throw error;
    }
    this.judge(local, user);
    if (isEnded(local)) return null;
    local.state = 'open';
    this.events.publish({ type: 'opened', session: local.session });
    return local.session;
  }

  /** The connection of a session on this node is gone, or the gateway has cut it. Again: nothing happens. */
  close(sessionId: string, reason: SessionEnd): void {
    const local = this.local.get(sessionId);
    if (local !== undefined) this.end(local, reason);
  }

  /**
   * For each name, in any form, whether somebody so called is online. The database is not asked: unknown users are
   * offline. @throws AppError argument_invalid, batch_too_large
   */
  async online(appId: string, names: readonly string[]): Promise<boolean[]> {
    if (names.length === 0) throw new AppError('argument_invalid', { detail: 'usernames must not be empty' });
    if (names.length > maxStatusUsers)
      throw new AppError('batch_too_large', { count: names.length, limit: maxStatusUsers });
    const keys = names.map(usernameKey);
    const online = new Set(keys.filter((key) => key !== null && this.openHere(appId, key).length > 0));
    const unknown = [...new Set(keys.filter((key) => key !== null && !online.has(key)))] as string[];
    this.lookups += names.length;
    if (unknown.length > 0) {
      const answers = await this.ask(() => this.store.online(appId, unknown));
      unknown.forEach((key, index) => answers?.[index] === true && online.add(key));
    }
    return keys.map((key) => key !== null && online.has(key));
  }

  /** The sessions of one user, oldest first. @throws AppError user_not_found, where nobody so called is online either */
  async of(appId: string, nameOrUuid: string): Promise<UserPresence> {
    // Whose uuid it is only the database knows, and that one comes before whoever is so called.
    if (isUuid(nameOrUuid)) return this.ofKey(appId, (await this.users.get(appId, nameOrUuid)).username);
    const presence = await this.ofKey(appId, usernameKey(nameOrUuid) ?? '');
    if (presence.sessions.length === 0) await this.users.get(appId, nameOrUuid);
    return presence;
  }

  /** Who is online, in the order of the alphabet. @throws AppError cursor_invalid */
  async list(appId: string, limit: number, cursor: string | null): Promise<OnlineUsers> {
    const after = cursor === null ? '' : readOnlineCursor(appId, cursor);
    const page = await this.ask(() => this.store.page(appId, after, limit + 1));
    const { usernames, total } = page ?? this.pageHere(appId, after, limit + 1);
    const taken = usernames.slice(0, limit);
    const sessions = taken.length === 0 ? [] : await this.ask(() => this.store.sessions(appId, taken));
    this.lookups += taken.length;
    const users = taken.map((username, index) => ({
      username,
      sessions: this.merge(appId, username, sessions?.[index] ?? []),
    }));
    const last = taken.at(-1);
    return {
      // Whoever left in between is not shown; the cursor goes on behind all the same.
      users: users.filter((user) => user.sessions.length > 0),
      total,
      cursor: usernames.length > limit && last !== undefined ? writeOnlineCursor(appId, last) : null,
      complete: page !== null && sessions !== null,
    };
  }

  /** Ends the session on one device; its token stays good. @returns whether there was one @throws AppError user_not_found */
  async disconnectDevice(appId: string, nameOrUuid: string, resource: string): Promise<boolean> {
    const { sessions } = await this.of(appId, nameOrUuid);
    const meant = sessions.filter((session) => session.resource === resource);
    await Promise.all(meant.map((session) => this.closeAnywhere(session, 'forced_offline')));
    return meant.length > 0;
  }

  /** Tells the connections of these users, on whatever node, that something new waits for them. Never fails. */
  async wake(appId: string, usernames: readonly string[]): Promise<void> {
    this.receive({ kind: 'wake', appId, usernames });
    const ofNode = new Map<string, string[]>();
    await Promise.all(
      usernames.map(async (username) => {
        const sessions = await this.ask(() => this.ofUser.add(appId, username));
        for (const nodeId of this.otherNodes(sessions ?? []))
          ofNode.set(nodeId, [...(ofNode.get(nodeId) ?? []), username]);
      }),
    );
    await Promise.all(
      [...ofNode].map(([nodeId, names]) => this.signals.send(nodeId, { kind: 'wake', appId, usernames: names })),
    );
  }

  /** Ends every session of this node and gives its lease up. Nothing can be opened afterwards. */
  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    for (const timer of this.timers) clearInterval(timer);
    const sessions = [...this.local];
    // First the lease: with it all sessions stop counting at once.
    const released = this.ask(() => this.store.release());
    for (const local of sessions) this.end(local, 'shutdown');
    await released;
    await this.withdrawAgain();
  }

  private get nodeId(): string {
    return this.store.nodeId;
  }

  private receive(signal: Signal): void {
    switch (signal.kind) {
      case 'close_user':
        for (const local of this.local.of(signal.appId, signal.username))
          if (isMeant(local, signal)) this.end(local, signal.reason, signal.at);
        return;
      case 'close_session': {
        const local = this.local.get(signal.sessionId);
        if (local !== undefined && local.app.id === signal.appId) this.end(local, signal.reason, signal.at);
        return;
      }
      case 'wake':
        for (const username of signal.usernames)
          for (const local of this.openHere(signal.appId, username)) local.connection.wake();
        return;
    }
  }

  private async onUserEvent({ type, user }: UserEvent): Promise<void> {
    const { appId, username, uuid: userUuid } = user;
    const signal: Signal = {
      kind: 'close_user',
      appId,
      username,
      userUuid,
      tokenEpoch: type === 'deleted' || type === 'banned' ? null : user.tokenEpoch,
      reason: reasonOf[type],
      at: this.clock.now(),
    };
    this.receive(signal);
    const sessions = await this.ask(() => this.ofUser.add(appId, username));
    await Promise.all(this.otherNodes(sessions ?? []).map((nodeId) => this.signals.send(nodeId, signal)));
  }

  private async closeAnywhere(session: Session, reason: KickReason): Promise<void> {
    const { appId, sessionId } = session;
    const signal: Signal = { kind: 'close_session', appId, sessionId, reason, at: this.clock.now() };
    const [nodeId] = this.otherNodes([session]);
    if (nodeId === undefined) this.receive(signal);
    else await this.signals.send(nodeId, signal);
  }

  private async ofKey(appId: string, username: string): Promise<UserPresence> {
    const asOf = this.clock.now();
    this.lookups += 1;
    const sessions = username === '' ? [] : await this.ask(() => this.ofUser.add(appId, username));
    return { sessions: this.merge(appId, username, sessions ?? []), asOf, complete: sessions !== null };
  }

  /** The store's word on other nodes, and our own on this one. */
  private merge(appId: string, username: string, sessions: readonly Session[]): Session[] {
    const others = sessions.filter((session) => idOf(session.node) !== this.nodeId);
    const own = this.openHere(appId, username).map((local) => local.session);
    return [...others, ...own].sort((one, other) => one.since - other.since);
  }

  private openHere(appId: string, username: string): LocalSession[] {
    return this.local.of(appId, username).filter((local) => local.state === 'open');
  }

  private pageHere(appId: string, after: string, limit: number): { usernames: string[]; total: number } {
    const open = [...this.local].filter((local) => local.app.id === appId && local.state === 'open');
    const usernames = [...new Set(open.map((local) => local.session.username))].sort();
    return { usernames: usernames.filter((name) => name > after).slice(0, limit), total: usernames.length };
  }

  private otherNodes(sessions: readonly Session[]): string[] {
    return [...new Set(sessions.map((session) => idOf(session.node)))].filter((nodeId) => nodeId !== this.nodeId);
  }

  /** What the store or the database answers; null when it does not, as nobody may fail because one is away. */
  private async ask<Answer>(question: () => Promise<Answer>): Promise<Answer | null> {
    try {
      return await question();
    } catch (error) {
      this.complain(error);
      return null;
    }
  }

  private end(local: LocalSession, reason: SessionEnd, causedAt?: number): void {
    if (local.state === 'ended') return;
    const wasOpen = local.state === 'open';
    local.state = 'ended';
    this.local.remove(local);
    if (this.stopped) this.toWithdraw.set(local.session.sessionId, local.session);
    else void this.withdraw(local.session);
    if (isKick(reason)) local.connection.kick(reason);
    if (!wasOpen) return;
    const latencyMs = causedAt === undefined ? undefined : Math.max(0, this.clock.now() - causedAt);
    this.events.publish({
      type: 'closed',
      session: local.session,
      reason,
      ...(latencyMs === undefined ? {} : { latencyMs }),
    });
  }

  /** Ends a session whose user may no longer have it. */
  private judge(local: LocalSession, user: User | null, patienceMs = 0): void {
    const reason = this.reasonToEnd(local, user);
    if (reason === 'token_revoked' && patienceMs > 0) setTimeout(() => this.end(local, reason), patienceMs).unref();
    else if (reason !== null) this.end(local, reason);
  }

  private reasonToEnd({ issued, expiresAtSeconds }: LocalSession, user: User | null): KickReason | null {
    if (user === null) return 'deleted';
    if (!user.activated) return 'banned';
    if (!outlivesEpoch(issued, user.tokenEpoch)) return 'token_revoked';
    return expiresAtSeconds <= this.clock.nowSeconds() ? 'token_expired' : null;
  }

  /** Makes a session known. With Redis away it counts on this node alone until a later beat. */
  private async announce(local: LocalSession): Promise<void> {
    if (isEnded(local)) return;
    const announced = await this.ask(async () => {
      const first = await this.store.announce(local.session);
      if (first !== null) return first;
      void this.startAnew();
      return this.store.announce(local.session);
    });
    if (announced === null) return;
    if (isEnded(local)) return this.withdraw(local.session);
    local.session = announced.session;
    local.announced = true;
    const signalled = announced.replaced.map((session) => this.closeAnywhere(session, 'replaced'));
    await Promise.all(signalled);
  }

  private async withdraw(session: Session): Promise<void> {
    this.toWithdraw.set(session.sessionId, session);
    const oldest = this.toWithdraw.keys().next();
    if (this.toWithdraw.size > maxToWithdraw && oldest.done !== true) this.toWithdraw.delete(oldest.value);
    const done = await this.ask(async () => {
      await this.store.withdraw(session);
      return true;
    });
    if (done === true) this.toWithdraw.delete(session.sessionId);
  }

  /** The sign of life, with all that could not be said to the store before. */
  private async beat(): Promise<void> {
    if (this.beating || this.stopped) return;
    this.beating = true;
    try {
      const appIds = [...this.local.byApp().keys()];
      const kept = await this.ask(() => this.store.renew(appIds));
      if (kept === null) return;
      this.renewedAt = this.clock.monotonic();
      this.complained = false;
      if (kept) await this.withdrawAgain();
      else await this.startAnew();
      await this.announceMissing();
      // Not awaited: with many sessions and a slow Redis it must not delay the next renewal.
      void this.ask(() => this.storeSweep.run(appIds));
      await this.signals.take();
    } finally {
      this.beating = false;
    }
  }

  /**
   * This node's lease was lost: it was stopped, cut off, or Redis forgot. Others took its sessions for gone, and much
   * may have happened to their users, so each is checked before it counts again.
   */
  private async startAnew(): Promise<void> {
    // What was written under the old name counts no more.
    this.toWithdraw.clear();
    for (const local of this.local) local.announced = false;
    await this.ask(() => this.userSweep.lookAtAll());
    await this.announceMissing();
  }

  private async announceAgain(): Promise<void> {
    for (const local of this.local) local.announced = false;
    await this.announceMissing();
    await this.signals.take();
  }

  private async announceMissing(): Promise<void> {
    if (this.announcing || this.stopped) return;
    this.announcing = true;
    try {
      const missing = [...this.local].filter((local) => !local.announced);
      for (let start = 0; start < missing.length; start += announcedAtOnce) {
        const some = missing.slice(start, start + announcedAtOnce);
        await Promise.all(some.map((local) => this.announce(local)));
        // The store is away: the next beat goes on.
        if (some.every((local) => !local.announced)) return;
      }
    } finally {
      this.announcing = false;
    }
  }

  private async withdrawAgain(): Promise<void> {
    const sessions = [...this.toWithdraw.values()];
    for (let start = 0; start < sessions.length; start += announcedAtOnce)
      await Promise.all(sessions.slice(start, start + announcedAtOnce).map((session) => this.withdraw(session)));
  }

  private expireDue(): void {
    const nowSeconds = this.clock.nowSeconds();
    for (const local of this.local) if (local.expiresAtSeconds <= nowSeconds) this.end(local, 'token_expired');
  }

  /** An outage of Redis or of the database is in the log already; anything else is said once. */
  private complain(error: unknown): void {
    const known = error instanceof RedisUnavailable || (error instanceof AppError && error.code !== 'internal');
    if (known || this.complained) return;
    this.complained = true;
    this.logger.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}

/**
 * Whether the cause of a signal is later than the session. The epoch in which it was let in tells; an AccessToken2 may be
 * from a clock that runs ahead, so there the time of the log in counts too.
 */
function isMeant(
  { session, issued }: LocalSession,
  { userUuid, tokenEpoch, at }: Extract<Signal, { kind: 'close_user' }>,
): boolean {
  if (session.userUuid !== userUuid) return false;
  if (tokenEpoch === null) return true;
  if (issued.by === 'rollcall') return issued.epoch < tokenEpoch;
  return !outlivesEpoch(issued, tokenEpoch) || session.since / 1_000 <= at;
}

function isKick(reason: SessionEnd): reason is KickReason {
  return (kickReasons as readonly string[]).includes(reason);
}

/** Read anew: it may have changed while somebody was awaited. */
function isEnded(local: LocalSession): boolean {
  return local.state === 'ended';
}

/** The node of `{id}.{epoch}`. */
function idOf(node: string): string {
  return node.split('.', 1)[0] as string;
}
