import { Injectable } from '@nestjs/common';
import { AuditLog } from '../audit/audit-log.service.js';
import type { AuditEntryRow } from '../audit/audit-entry.entity.js';
import { Clock } from '../clock/clock.js';
import { banStateAt } from './ban-state.js';
import type { BanOrigin, BanTerms } from './ban-terms.js';
import type { StoredBanRow } from './bans.repository.js';
import { BansRepository } from './bans.repository.js';
import type { User } from './user.js';
import type { Undone } from './user-undo.service.js';
import { UserRevocationsService } from './user-revocations.service.js';
import { UsersService } from './users.service.js';

/** A change of a ban, in the audit trail. */
export type BanEntry = Pick<AuditEntryRow, 'action' | 'operation_id' | 'seq' | 'at' | 'target_uuid'> & {
  /** Whether there was a ban before. */
  readonly hadBan: boolean;
};

const entriesLookedAt = 100;

/**
 * Takes back bans and unbans: lifts a ban, or puts back the one that was lifted or replaced. What a ban has ended,
 * tokens and sessions, stays ended.
 */
@Injectable()
export class BanUndoService {
  constructor(
    private readonly users: UsersService,
    private readonly revocations: UserRevocationsService,
    private readonly bans: BansRepository,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /** Call it in a unit of work that has locked the user. */
  async undo(appId: string, entry: BanEntry, origin: BanOrigin): Promise<Undone> {
    const user = await this.users.findByUuid(appId, entry.target_uuid ?? '');
    if (user === null) return 'user_not_found';
    if (!(await this.isLatest(user, entry))) return 'changed_since';
    const state = banStateAt(user.ban, this.clock.now());
    const isBanned = state === 'active' || state === 'planned';
    // Time has ended the ban, as it has the one that a later ban would be put back to.
    if (isBanned !== (entry.action === 'user.ban')) return 'changed_since';
    const [newest, earlier] = await this.bans.list(appId, user.uuid, null, 2);
    const restored = this.stillToCome(isBanned ? (entry.hadBan ? earlier : undefined) : newest);
    if (restored !== null) await this.revocations.ban(appId, user.uuid, restored, origin);
    else if (isBanned) await this.revocations.unban(appId, user.uuid, null, origin);
    else return 'changed_since';
    return 'changed';
  }

  /** Whether nothing has changed the user's ban since: a later one may have the same terms. */
  private async isLatest({ appId, username, uuid }: User, { operation_id, seq, at }: BanEntry): Promise<boolean> {
    const entries = await this.audit.newestOf(appId, username, at, entriesLookedAt);
    const latest = entries.find(
      (entry) => entry.target_uuid === uuid && (entry.action === 'user.ban' || entry.action === 'user.unban'),
    );
    return latest?.operation_id === operation_id && latest.seq === seq;
  }

  /** The terms of an earlier ban, unless it would be over by now. */
  private stillToCome(ban: StoredBanRow | undefined): BanTerms | null {
    const now = this.clock.now();
    if (ban === undefined || (ban.ends_at !== null && ban.ends_at <= now)) return null;
    const startsAt = ban.starts_at > now ? ban.starts_at : null;
    return { startsAt, endsAt: ban.ends_at, reason: ban.reason, note: ban.note };
  }
}
