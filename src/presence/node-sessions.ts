import { randomBytes } from 'node:crypto';
import type { App } from '../apps/app.js';
import type { Clock } from '../clock/clock.js';
import { outlivesEpoch } from '../users/token-epoch.js';
import type { User } from '../users/user.js';
import { type LocalSession, LocalSessions } from './local-sessions.js';
import type { Outages } from './outages.js';
import type { PresenceStore } from './presence.store.js';
import {
  type KickReason,
  kickReasons,
  type Session,
  type SessionConnection,
  type SessionEnd,
  type SessionRequest,
} from './session.js';
import type { SessionEvents } from './session-events.js';

/** Sessions announced at once. */
const announcedAtOnce = 200;
/** Sessions awaiting withdrawal; beyond that the oldest are dropped and left to the store sweep. */
const maxToWithdraw = 10_000;

export interface NodeSessionsDependencies {
  readonly store: PresenceStore;
  readonly clock: Clock;
  readonly events: SessionEvents;
  readonly outages: Outages;
  /** Ends a session, on any node, whose device has logged in here. */
  readonly closeReplaced: (session: Session) => Promise<void>;
  /** Looks up the user of every session and ends those no longer allowed. */
  readonly checkUsers: () => Promise<void>;
}

/** Owns the sessions of this node and keeps the store in step: announces what opens, withdraws what ends. */
export class NodeSessions {
  readonly local = new LocalSessions();
  private readonly store: PresenceStore;
  private readonly clock: Clock;
  private readonly events: SessionEvents;
  private readonly outages: Outages;
  private readonly closeReplaced: (session: Session) => Promise<void>;
  private readonly checkUsers: () => Promise<void>;
  /** Sessions that ended while the store was unavailable. */
  private readonly toWithdraw = new Map<string, Session>();
  private announcing = false;
  private stopped = false;

  constructor(dependencies: NodeSessionsDependencies) {
    this.store = dependencies.store;
    this.clock = dependencies.clock;
    this.events = dependencies.events;
    this.outages = dependencies.outages;
    this.closeReplaced = dependencies.closeReplaced;
    this.checkUsers = dependencies.checkUsers;
  }

  /** Adds a session that is not open yet, and announces it. */
  async add(app: App, request: SessionRequest, connection: SessionConnection): Promise<LocalSession> {
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
    return local;
  }

  /** Opens a session, given its user as read after the announcement. @returns whether it is open */
  open(local: LocalSession, user: User | null): boolean {
    this.judge(local, user);
    if (isEnded(local)) return false;
    local.state = 'open';
    this.events.publish({ type: 'opened', session: local.session });
    return true;
  }

  /** The open sessions of one user on this node. */
  openOf(appId: string, username: string): LocalSession[] {
    return this.local.of(appId, username).filter((local) => local.state === 'open');
  }

  /** Ends every session and releases the lease. Nothing can be opened afterwards. */
  async stop(): Promise<void> {
    this.stopped = true;
    const sessions = [...this.local];
    // The lease first: without it all sessions stop counting at once.
    const released = this.outages.ask(() => this.store.release());
    for (const local of sessions) this.end(local, 'shutdown');
    await released;
    await this.withdrawAgain();
  }

  end(
    local: LocalSession,
    reason: SessionEnd,
    { causedAt, untilMs }: { readonly causedAt?: number; readonly untilMs?: number | null | undefined } = {},
  ): void {
    if (local.state === 'ended') return;
    const wasOpen = local.state === 'open';
    local.state = 'ended';
    this.local.remove(local);
    if (this.stopped) this.toWithdraw.set(local.session.sessionId, local.session);
    else void this.withdraw(local.session);
    if (isKick(reason)) local.connection.kick(reason, ...(untilMs == null ? [] : [untilMs]));
    if (!wasOpen) return;
    const latencyMs = causedAt === undefined ? undefined : Math.max(0, this.clock.now() - causedAt);
    this.events.publish({
      type: 'closed',
      session: local.session,
      reason,
      ...(latencyMs === undefined ? {} : { latencyMs }),
    });
  }

  /** Ends a session that its user may no longer have. */
  judge(local: LocalSession, user: User | null, patienceMs = 0): void {
    const reason = this.reasonToEnd(local, user);
    if (reason === 'token_revoked' && patienceMs > 0) setTimeout(() => this.end(local, reason), patienceMs).unref();
    else if (reason !== null) this.end(local, reason, reason === 'banned' ? { untilMs: user?.ban?.endsAt } : {});
  }

  private reasonToEnd({ issued, expiresAtSeconds }: LocalSession, user: User | null): KickReason | null {
    if (user === null) return 'deleted';
    if (!user.activated) return 'banned';
    if (!outlivesEpoch(issued, user.tokenEpoch)) return 'token_revoked';
    return expiresAtSeconds <= this.clock.nowSeconds() ? 'token_expired' : null;
  }

  /** Announces a session. While Redis is unavailable it counts on this node only, until a later beat. */
  async announce(local: LocalSession): Promise<void> {
    if (isEnded(local)) return;
    const announced = await this.outages.ask(async () => {
      const first = await this.store.announce(local.session);
      if (first !== null) return first;
      void this.startAnew();
      return this.store.announce(local.session);
    });
    if (announced === null) return;
    if (isEnded(local)) return this.withdraw(local.session);
    local.session = announced.session;
    local.announced = true;
    const signalled = announced.replaced.map((session) => this.closeReplaced(session));
    await Promise.all(signalled);
  }

  private async withdraw(session: Session): Promise<void> {
    this.toWithdraw.set(session.sessionId, session);
    const oldest = this.toWithdraw.keys().next();
    if (this.toWithdraw.size > maxToWithdraw && oldest.done !== true) this.toWithdraw.delete(oldest.value);
    const done = await this.outages.ask(async () => {
      await this.store.withdraw(session);
      return true;
    });
    if (done === true) this.toWithdraw.delete(session.sessionId);
  }

  /**
   * This node's lease was lost: it was suspended, cut off, or Redis lost data. Other nodes considered its sessions
   * gone, and their users may have changed, so each is checked before it counts again.
   */
  async startAnew(): Promise<void> {
    // Nothing written under the old name counts any longer.
    this.toWithdraw.clear();
    for (const local of this.local) local.announced = false;
    await this.outages.ask(() => this.checkUsers());
    await this.announceMissing();
  }

  /** Announces every session again, as the store may have lost some. */
  async announceAgain(): Promise<void> {
    for (const local of this.local) local.announced = false;
    await this.announceMissing();
  }

  async announceMissing(): Promise<void> {
    if (this.announcing || this.stopped) return;
    this.announcing = true;
    try {
      const missing = [...this.local].filter((local) => !local.announced);
      for (let start = 0; start < missing.length; start += announcedAtOnce) {
        const some = missing.slice(start, start + announcedAtOnce);
        await Promise.all(some.map((local) => this.announce(local)));
        // The store is unavailable: the next beat continues.
        if (some.every((local) => !local.announced)) return;
      }
    } finally {
      this.announcing = false;
    }
  }

  async withdrawAgain(): Promise<void> {
    const sessions = [...this.toWithdraw.values()];
    for (let start = 0; start < sessions.length; start += announcedAtOnce)
      await Promise.all(sessions.slice(start, start + announcedAtOnce).map((session) => this.withdraw(session)));
  }

  expireDue(): void {
    const nowSeconds = this.clock.nowSeconds();
    for (const local of this.local) if (local.expiresAtSeconds <= nowSeconds) this.end(local, 'token_expired');
  }
}

function isKick(reason: SessionEnd): reason is KickReason {
  return (kickReasons as readonly string[]).includes(reason);
}

/** Rereads the state, which may have changed during an await. */
function isEnded(local: LocalSession): boolean {
  return local.state === 'ended';
}
