import type { App } from '../apps/app.js';
import type { Issued } from '../users/token-epoch.js';
import type { Session, SessionConnection } from './session.js';

/** A session whose connection is on this node. */
export interface LocalSession {
  readonly app: App;
  readonly issued: Issued;
  /** The fingerprint of an app secret: the session ends when the app no longer has it. */
  readonly letInBy: string;
  readonly expiresAtSeconds: number;
  readonly connection: SessionConnection;
  session: Session;
  /** A session is opening until it has passed the fence. */
  state: 'opening' | 'open' | 'ended';
  /** Whether the store has it, as far as this node knows. */
  announced: boolean;
  /** When the database was last asked about its user, monotonic. */
  lookedAt: number;
}

/** The sessions of this node, by id and by user. */
export class LocalSessions implements Iterable<LocalSession> {
  private readonly byId = new Map<string, LocalSession>();
  private readonly byUser = new Map<string, LocalSession[]>();

  get size(): number {
    return this.byId.size;
  }

  [Symbol.iterator](): MapIterator<LocalSession> {
    return this.byId.values();
  }

  get(sessionId: string): LocalSession | undefined {
    return this.byId.get(sessionId);
  }

  of(appId: string, username: string): readonly LocalSession[] {
    return this.byUser.get(`${appId} ${username}`) ?? [];
  }

  add(local: LocalSession): void {
    const { appId, username, sessionId } = local.session;
    this.byId.set(sessionId, local);
    this.byUser.set(`${appId} ${username}`, [...this.of(appId, username), local]);
  }

  remove(local: LocalSession): void {
    const { appId, username, sessionId } = local.session;
    this.byId.delete(sessionId);
    const others = this.of(appId, username).filter((other) => other !== local);
    if (others.length > 0) this.byUser.set(`${appId} ${username}`, others);
    else this.byUser.delete(`${appId} ${username}`);
  }

  /** By app, as every statement and script covers a single app. */
  byApp(): Map<string, LocalSession[]> {
    const apps = new Map<string, LocalSession[]>();
    for (const local of this) {
      const sessions = apps.get(local.app.id);
      if (sessions === undefined) apps.set(local.app.id, [local]);
      else sessions.push(local);
    }
    return apps;
  }

  /** The next ones in rotation, so that repeated calls reach every session. */
  take(count: number): LocalSession[] {
    const taken: LocalSession[] = [];
    for (const local of this) {
      if (taken.length === count) break;
      taken.push(local);
    }
    for (const local of taken) {
      this.byId.delete(local.session.sessionId);
      this.byId.set(local.session.sessionId, local);
    }
    return taken;
  }
}
