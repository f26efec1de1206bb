import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.service.js';
import { localCaller } from '../audit/caller.js';
import { runInOperation } from '../audit/operation.js';
import { Clock } from '../clock/clock.js';
import { Database } from '../database/database.js';
import { BanEdgesRepository, dueAppsAtOnce } from './ban-edges.repository.js';
import { BanHistoryRepository } from './ban-history.repository.js';
import { banStateAt, settle } from './ban-state.js';
import { BansRepository } from './bans.repository.js';
import type { User } from './user.js';
import { UserEvents } from './user-events.js';
import type { UserChange } from './user-change.js';
import { UserWritesRepository } from './user-writes.repository.js';
import { UsersRepository } from './users.repository.js';

/** Users changed in one transaction. */
const settledAtOnce = 100;

/**
 * Owns what time does to bans: stores that a planned one has begun, which ends the user's sessions and tokens, and that
 * one is over. Whether a user is banned never depends on it, as every reader computes that from the times.
 */
@Injectable()
export class DueBansService {
  constructor(
    private readonly edges: BanEdgesRepository,
    private readonly bans: BansRepository,
    private readonly history: BanHistoryRepository,
    private readonly users: UsersRepository,
    private readonly writes: UserWritesRepository,
    private readonly database: Database,
    private readonly events: UserEvents,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
  ) {}

  /**
   * Settles everything that is due, in all apps. Any number of nodes may do so at once: each change is made, and
   * announced, by whichever locks the user first. @returns how many bans have begun or ended
   */
  async settleDue(mayGoOn: () => boolean = () => true): Promise<number> {
    let settled = 0;
    for (let more = true; more && mayGoOn();) {
      const appIds = await this.edges.dueApps(this.clock.now());
      for (const appId of appIds) {
        if (!mayGoOn()) break;
        const operation = this.audit.begin(localCaller('system', 'bans'));
        settled += await runInOperation(operation, () => this.settleApp(appId, mayGoOn));
      }
      more = appIds.length === dueAppsAtOnce;
    }
    return settled;
  }

  private async settleApp(appId: string, mayGoOn: () => boolean): Promise<number> {
    let settled = 0;
    for (let more = true; more; more = more && mayGoOn()) {
      const due = await this.bans.listDue(appId, this.clock.now(), settledAtOnce);
      const uuids = [...new Set(due.map((row) => row.user_uuid))];
      const users = await this.users.findAllByUuid(appId, uuids);
      settled += await this.settleUsers(appId, [...users.values()]);
      const current = new Map([...users].filter(([, { ban }]) => ban !== null));
      if (current.size < uuids.length)
        await this.closeStale(
          appId,
          uuids.filter((uuid) => !current.has(uuid)),
          [...users.values()],
        );
      more = due.length === settledAtOnce;
    }
    await this.edges.advance(appId);
    return settled;
  }

  private async settleUsers(appId: string, users: readonly User[]): Promise<number> {
    if (users.length === 0) return 0;
    const results = await this.writes.changeEach(appId, users, (user) => this.settling(user));
    const changed = results.flatMap((result) => (result?.changed === true ? result.user : []));
    // After the end of a planned ban that nobody stored in time, sessions opened since then stay.
    for (const user of changed) this.events.publish({ type: user.activated ? 'tokens_revoked' : 'banned', user });
    return changed.length;
  }

  /**
   * The rows of deleted users, and of users whom a version without such bans has unbanned, must not stay due. Looks
   * again with the users locked, as they may have been banned anew.
   */
  private async closeStale(appId: string, userUuids: readonly string[], users: readonly User[]): Promise<void> {
    const stale = new Set(userUuids);
    const usernames = users.filter(({ uuid }) => stale.has(uuid)).map(({ username }) => username);
    await this.database.write(async (transaction) => {
      const locked = await this.users.lockForUpdate(transaction, appId, usernames);
      const banned = new Set(locked.filter(({ ban }) => ban !== null).map(({ uuid }) => uuid));
      const remaining = userUuids.filter((uuid) => !banned.has(uuid));
      await this.history.close(transaction, appId, remaining, this.clock.now());
    }, appId);
  }

  private settling(user: User): ReturnType<UserChange> {
    const { ban, tokenEpoch } = user;
    const now = this.clock.now();
    const after = settle(ban, now);
    if (ban === null || after === ban) return null;
    // A revocation on a node whose clock was ahead of the beginning must not spare the tokens in between.
    const passed = after !== null && ban.startsAt !== null && tokenEpoch > ban.startsAt;
    return {
      action: banStateAt(ban, now) === 'active' ? 'user.ban' : 'user.unban',
      user: { ban: after, tokenEpoch: passed ? tokenEpoch + 1 : tokenEpoch },
      banChange: { kind: 'settle' },
    };
  }
}
