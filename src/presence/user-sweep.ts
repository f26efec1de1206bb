import { fingerprintsOf } from '../apps/app-secrets.js';
import type { AppsService } from '../apps/apps.service.js';
import type { Clock } from '../clock/clock.js';
import type { User } from '../users/user.js';
import { changesKeptMs, type UserChanges, type UserChangesService } from '../users/user-changes.service.js';
import type { UsersService } from '../users/users.service.js';
import type { LocalSession, LocalSessions } from './local-sessions.js';
import type { KickReason } from './session.js';

/** Each run reads the changes, so a lost signal costs this interval plus a round trip. */
export const sweepEveryMs = 5_000;
/** How often a session is checked without a recorded change, to catch manual edits of the database. */
const roundMs = 600_000;
/** Spreads sessions that fall due together over several runs, so that all are checked within half a round. */
const runsPerHalfRound = roundMs / 2 / sweepEveryMs;
const readAtOnce = 500;

interface Feed {
  /** Monotonic time at which the changes were last read. */
  readonly readAt: number;
  /** The ids of the changes found then, with the time each was first seen. */
  readonly met: ReadonlyMap<string, number>;
}

/** What to do about the sessions that were checked. */
export interface SweepVerdicts {
  /** `user` is the user as now stored; null: not found. */
  judge(local: LocalSession, user: User | null, patienceMs: number): void;
  /** The app is gone or disabled, or no longer has the secret that admitted these sessions. */
  endAll(sessions: readonly LocalSession[], reason: KickReason): void;
}

/**
 * Checks the database for changes to the apps and users of this node's sessions. A ban, revocation, deletion or end of
 * a certificate takes effect within seconds, and messages arrive, even if every signal is lost, whichever node or
 * command line made the change. It reads only what changed, so idle sessions cost next to nothing.
 */
export class UserSweep {
  private readonly feeds = new Map<string, Feed>();
  private running: Promise<void> | null = null;

  constructor(
    private readonly local: LocalSessions,
    private readonly users: UsersService,
    private readonly apps: AppsService,
    private readonly changes: UserChangesService,
    private readonly clock: Clock,
    private readonly verdicts: SweepVerdicts,
  ) {}

  /** @param patienceMs as for `judge` @throws AppError database_unavailable */
  async run(patienceMs: number): Promise<void> {
    if (this.running === null) await this.begin((appId, sessions) => this.followChanges(appId, sessions, patienceMs));
  }

  /** Checks all sessions at once. @throws AppError database_unavailable */
  async lookAtAll(): Promise<void> {
    while (this.running !== null) await this.running.catch(() => undefined);
    await this.begin((appId, sessions) => this.look(appId, sessions, 0));
  }

  private begin(work: (appId: string, sessions: readonly LocalSession[]) => Promise<void>): Promise<void> {
    this.running = this.forEachApp(work).finally(() => (this.running = null));
    return this.running;
  }

  private async forEachApp(work: (appId: string, sessions: readonly LocalSession[]) => Promise<void>): Promise<void> {
    const ofApp = this.local.byApp();
    for (const appId of this.feeds.keys()) if (!ofApp.has(appId)) this.feeds.delete(appId);
    for (const [appId, sessions] of ofApp) {
      const { org, name } = (sessions[0] as LocalSession).app;
      const app = await this.apps.find(org, name);
      if (app === null || app.disabled || app.id !== appId) {
        this.verdicts.endAll(sessions, 'forced_offline');
        continue;
      }
      // The same check as at login. It is in memory, so every run applies it to every session.
      const good = fingerprintsOf(app);
      const revoked = sessions.filter(({ letInBy }) => !good.has(letInBy));
      this.verdicts.endAll(revoked, 'token_revoked');
      await work(appId, revoked.length === 0 ? sessions : sessions.filter(({ letInBy }) => good.has(letInBy)));
    }
  }

  private async followChanges(appId: string, sessions: readonly LocalSession[], patienceMs: number): Promise<void> {
    const now = this.clock.monotonic();
    const before = this.feeds.get(appId);
    const ids = await this.changes.listIds(appId);
    const unmet = ids.filter((id) => before?.met.has(id) !== true);
    // After a longer gap some changes may already be cleared, so check everything.
    if (before !== undefined && now - before.readAt > changesKeptMs / 2) await this.look(appId, sessions, patienceMs);
    else await this.lookAtChanged(appId, sessions, await this.changes.find(appId, unmet), patienceMs);
    // Only now, so that a failure above makes the next run see them again.
    const met = new Map(ids.map((id) => [id, before?.met.get(id) ?? now]));
    this.feeds.set(appId, { readAt: now, met });
    // Left behind by a dead process; a live one clears its own changes long before this.
    const old = ids.filter((id) => now - (met.get(id) as number) > changesKeptMs * 2);
    if (old.length > 0) await this.changes.clear(appId, old);
  }

  private async lookAtChanged(
    appId: string,
    sessions: readonly LocalSession[],
    found: readonly UserChanges[],
    patienceMs: number,
  ): Promise<void> {
    const changed = new Set<string>();
    const lastSeqs = new Map<string, number>();
    for (const [uuid, lastSeq] of found.flatMap((changes) => [...changes]))
      if (lastSeq === null) changed.add(uuid);
      else lastSeqs.set(uuid, Math.max(lastSeqs.get(uuid) ?? 0, lastSeq));
    const asked = this.dueOf(sessions);
    for (const local of sessions) {
      const { userUuid } = local.session;
      if (changed.has(userUuid)) asked.add(local);
      const lastSeq = lastSeqs.get(userUuid);
      if (lastSeq !== undefined) local.connection.catchUp(lastSeq);
    }
    await this.look(appId, [...asked], patienceMs);
  }

  private async look(appId: string, sessions: readonly LocalSession[], patienceMs: number): Promise<void> {
    for (let start = 0; start < sessions.length; start += readAtOnce) {
      const some = sessions.slice(start, start + readAtOnce);
      const users = await this.users.findAllByUuid(appId, [...new Set(some.map((local) => local.session.userUuid))]);
      for (const local of some) {
        local.lookedAt = this.clock.monotonic();
        this.verdicts.judge(local, users.get(local.session.userUuid) ?? null, patienceMs);
        if (local.state === 'open') local.connection.catchUp(null);
      }
    }
  }

  private dueOf(sessions: readonly LocalSession[]): Set<LocalSession> {
    const before = this.clock.monotonic() - roundMs;
    const maxDue = Math.ceil(sessions.length / runsPerHalfRound);
    const due = new Set<LocalSession>();
    for (const local of sessions) {
      if (due.size === maxDue) break;
      if (local.lookedAt <= before) due.add(local);
    }
    return due;
  }
}
