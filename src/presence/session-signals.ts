import type { Clock } from '../clock/clock.js';
import { Gatherer } from '../database/gatherer.js';
import { outlivesEpoch } from '../users/token-epoch.js';
import type { UserEvent } from '../users/user-events.js';
import type { LocalSession } from './local-sessions.js';
import type { NodeSessions } from './node-sessions.js';
import type { NodeSignals } from './node-signals.service.js';
import type { Outages } from './outages.js';
import type { PresenceNotice, Watcher } from './presence-notice.js';
import { maxNamesPerRead, type PresenceStore } from './presence.store.js';
import { type KickReason, nodeIdOf, type Session } from './session.js';
import type { Signal } from './signal.js';

/** Why sessions end; null: they stay open, but their view of the user is stale. */
const reasonOf: Readonly<Record<UserEvent['type'], KickReason | null>> = {
  banned: 'banned',
  deleted: 'deleted',
  password_changed: 'password_changed',
  tokens_revoked: 'token_revoked',
  forced_offline: 'forced_offline',
  mute_changed: null,
};

/** Ends and wakes sessions on any node: here directly, elsewhere by a signal to that node. */
export class SessionSignals {
  /** The sessions of one user according to the store; concurrent calls are batched. */
  readonly sessionsOf: (appId: string, username: string) => Promise<Session[] | null>;

  constructor(
    private readonly sessions: NodeSessions,
    private readonly signals: NodeSignals,
    private readonly store: PresenceStore,
    private readonly clock: Clock,
    outages: Outages,
  ) {
    const ofUser = new Gatherer<string, Session[]>((appId, usernames) => store.sessions(appId, usernames), {
      rows: maxNamesPerRead,
      runs: 4,
    });
    this.sessionsOf = (appId, username) => outages.ask(() => ofUser.add(appId, username));
  }

  /** Tells the connections of these users, on any node, that something new waits for them. Never fails. */
  async wake(appId: string, usernames: readonly string[]): Promise<void> {
    const wakeUp = (some: readonly string[]): Signal => ({ kind: 'wake', appId, usernames: some });
    await this.reach(appId, usernames, (username) => username, wakeUp);
  }

  /** Sends the sessions of these watchers, on any node, a presence notice. Never fails. */
  async tellWatchers(appId: string, watchers: readonly Watcher[], notice: PresenceNotice): Promise<void> {
    const tell = (some: readonly Watcher[]): Signal => ({ kind: 'presence', appId, watchers: some, notice });
    await this.reach(appId, watchers, ({ username }) => username, tell);
  }

  /** Carries out a signal from another node or this one. */
  receive(signal: Signal): void {
    switch (signal.kind) {
      case 'close_user':
        for (const local of this.sessions.local.of(signal.appId, signal.username))
          if (isMeant(local, signal))
            this.sessions.end(local, signal.reason, { causedAt: signal.at, untilMs: signal.until });
        return;
      case 'close_session': {
        const local = this.sessions.local.get(signal.sessionId);
        if (local !== undefined && local.app.id === signal.appId)
          this.sessions.end(local, signal.reason, { causedAt: signal.at });
        return;
      }
      case 'wake':
        for (const username of signal.usernames)
          for (const local of this.sessions.openOf(signal.appId, username)) local.connection.wake();
        return;
      case 'presence':
        for (const { username, uuid } of signal.watchers)
          for (const local of this.sessions.openOf(signal.appId, username))
            if (local.session.userUuid === uuid) local.connection.presenceChanged(signal.notice);
        return;
      case 'user_changed':
        for (const local of this.sessions.local.of(signal.appId, signal.username)) local.connection.catchUp(null);
        return;
    }
  }

  /** Ends the sessions of the user this happened to, or makes them reread the user. */
  async tell({ type, user }: UserEvent): Promise<void> {
    const { appId, username, uuid: userUuid } = user;
    const reason = reasonOf[type];
    const signal: Signal =
      reason === null
        ? { kind: 'user_changed', appId, username }
        : {
            kind: 'close_user',
            ...{ appId, username, userUuid, reason, at: this.clock.now() },
            ...(type === 'banned' && user.ban?.endsAt != null ? { until: user.ban.endsAt } : {}),
            tokenEpoch: type === 'deleted' || type === 'banned' ? null : user.tokenEpoch,
          };
    this.receive(signal);
    const sessions = await this.sessionsOf(appId, username);
    await Promise.all(this.otherNodes(sessions ?? []).map((nodeId) => this.signals.send(nodeId, signal)));
  }

  /** Ends one session. */
  async close(session: Session, reason: KickReason): Promise<void> {
    const { appId, sessionId } = session;
    const signal: Signal = { kind: 'close_session', appId, sessionId, reason, at: this.clock.now() };
    const [nodeId] = this.otherNodes([session]);
    if (nodeId === undefined) this.receive(signal);
    else await this.signals.send(nodeId, signal);
  }

  /** Sends a signal about these users here, and to each other node the part about those with a session there. */
  private async reach<Item>(
    appId: string,
    items: readonly Item[],
    usernameOf: (item: Item) => string,
    signalOf: (some: readonly Item[]) => Signal,
  ): Promise<void> {
    this.receive(signalOf(items));
    const ofNode = await this.byOtherNode(appId, items, usernameOf);
    await Promise.all([...ofNode].map(([nodeId, some]) => this.signals.send(nodeId, signalOf(some))));
  }

  /** Those of the given users with a session on another node, by that node. */
  private async byOtherNode<Item>(
    appId: string,
    items: readonly Item[],
    usernameOf: (item: Item) => string,
  ): Promise<Map<string, Item[]>> {
    const ofNode = new Map<string, Item[]>();
    await Promise.all(
      items.map(async (item) => {
        const sessions = await this.sessionsOf(appId, usernameOf(item));
        for (const nodeId of this.otherNodes(sessions ?? [])) {
          const some = ofNode.get(nodeId);
          if (some === undefined) ofNode.set(nodeId, [item]);
          else some.push(item);
        }
      }),
    );
    return ofNode;
  }

  private otherNodes(sessions: readonly Session[]): string[] {
    return [...new Set(sessions.map((session) => nodeIdOf(session.node)))].filter(
      (nodeId) => nodeId !== this.store.nodeId,
    );
  }
}

/**
 * Whether the cause of a signal is later than the session. The token epoch tells; an AccessToken2 may come from a clock
 * that runs ahead, so there the login time counts too.
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
