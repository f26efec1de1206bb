import { Injectable } from '@nestjs/common';
import type { Operation } from '../audit/operation.js';
import { Clock } from '../clock/clock.js';
import { AppError } from '../errors/app-error.js';
import { checkReason } from './activation-reason.js';
import { type Ban, banStateAt } from './ban-state.js';
import { banForever, type BanOrigin, type BanTerms, checkBanTerms } from './ban-terms.js';
import { BansRepository } from './bans.repository.js';
import { epochOfForcedLogout, epochOfRevocation } from './token-epoch.js';
import type { User } from './user.js';
import { type UserEvent, UserEvents } from './user-events.js';
import type { UserStep } from './user-step.js';
import type { UserChange } from './user-change.js';
import { UserWritesRepository } from './user-writes.repository.js';
import { UsersService } from './users.service.js';

/** What can be done to many users alike. */
export interface Revocation {
  readonly action: 'ban' | 'unban' | 'force_offline';
  /** Checked, with an end in the future; only the reason counts for an unban. */
  readonly terms: BanTerms;
  readonly origin: BanOrigin;
}

const eventOf = { ban: 'banned', force_offline: 'forced_offline' } as const;

/** Owns what ends the sessions and tokens of users: bans and unbans, the revocation of tokens, forced logout. */
@Injectable()
export class UserRevocationsService {
  constructor(
    private readonly users: UsersService,
    private readonly writes: UserWritesRepository,
    private readonly bans: BansRepository,
    private readonly clock: Clock,
    private readonly events: UserEvents,
  ) {}

  /**
   * Bans a user, at once or from `startsAt` on: ends every session and token, and refuses logins until the end or until
   * unbanned. Idempotent; other terms than those of the present ban take its place.
   * @throws AppError user_not_found, argument_invalid (also when a ban in force would be lifted by a planned one)
   */
  async ban(appId: string, nameOrUuid: string, terms: BanTerms, origin: BanOrigin): Promise<User> {
    const checked = checkBanTerms(terms, this.clock.now());
    const user = await this.users.get(appId, nameOrUuid);
    const same = await this.saysTheSame(user, checked);
    const banned = await this.change(user, this.banning(checked, origin, same));
    if (checked.startsAt !== null && !banned.activated)
      throw new AppError('argument_invalid', {
        detail: 'the user is banned now, so a ban cannot begin later: leave starts_at out, or lift the ban first',
      });
    // Even if nothing changed: a repeated ban must close a session that slipped through the first.
    if (!banned.activated) this.events.publish({ type: 'banned', user: banned });
    return banned;
  }

  /** Lifts a ban, also a planned one; tokens that it ended stay so. Idempotent. @throws AppError user_not_found, argument_invalid */
  async unban(appId: string, nameOrUuid: string, reason: string | null, origin: BanOrigin): Promise<User> {
    checkReason(reason);
    return this.change(await this.users.get(appId, nameOrUuid), this.unbanning(reason, origin));
  }

  /** Bans the named users that exist, for ever, in one transaction. @throws AppError user_not_found if none does */
  async banAll(appId: string, usernames: readonly string[], origin: BanOrigin): Promise<User[]> {
    const users = await this.changeAll(
      appId,
      usernames,
      this.banning(banForever, origin, () => true),
    );
    for (const user of users) this.events.publish({ type: 'banned', user });
    return users;
  }

  /** Unbans the named users that exist, in one transaction. @throws AppError user_not_found if none does */
  unbanAll(appId: string, usernames: readonly string[], origin: BanOrigin): Promise<User[]> {
    return this.changeAll(appId, usernames, this.unbanning(null, origin));
  }

  /** Ends every token and session of the user. @throws AppError user_not_found */
  async revokeTokens(appId: string, nameOrUuid: string): Promise<User> {
    return this.revokeTokensOf(await this.users.get(appId, nameOrUuid));
  }

  /** As `revokeTokens` for a known user; writes `alsoWrite` in the same transaction. @throws AppError user_not_found */
  revokeTokensOf(user: User, alsoWrite?: UserStep): Promise<User> {
    const revoking: UserChange = (locked) => ({
      action: 'user.revoke_tokens',
      user: { tokenEpoch: this.nextEpoch(locked) },
    });
    return this.changeAndTell(user, 'tokens_revoked', revoking, alsoWrite);
  }

  /**
   * Forces a user offline: ends every session and earlier token. A new login is allowed at once, even with an
   * AccessToken2 of the same second.
   * @throws AppError user_not_found
   */
  async forceOffline(appId: string, nameOrUuid: string): Promise<User> {
    return this.changeAndTell(await this.users.get(appId, nameOrUuid), 'forced_offline', this.forcingOffline());
  }

  /**
   * Does the same to each of these users in one transaction, each as an operation of its own in the audit trail. Unlike
   * `ban`, leaves a ban with the same end as it is, whatever its reason.
   * @returns whether each was changed; null for each that is gone
   */
  async applyEach(
    appId: string,
    users: readonly User[],
    revocation: Revocation,
    operations: readonly Operation[],
  ): Promise<(boolean | null)[]> {
    const results = await this.writes.changeEach(appId, users, this.changeOf(revocation), operations);
    for (const result of results)
      if (result !== null && revocation.action !== 'unban' && !(revocation.action === 'ban' && result.user.activated))
        this.events.publish({ type: eventOf[revocation.action], user: result.user });
    return results.map((result) => result && result.changed);
  }

  /** Whether `applyEach` would change a user now. */
  wouldChange(user: User, revocation: Revocation): boolean {
    return this.changeOf(revocation)(user) !== null;
  }

  private changeOf({ action, terms, origin }: Revocation): UserChange {
    switch (action) {
      case 'ban':
        return this.banning(terms, origin, () => true);
      case 'unban':
        return this.unbanning(terms.reason, origin);
      case 'force_offline':
        return this.forcingOffline();
    }
  }

  private forcingOffline(): UserChange {
    return ({ tokenEpoch }) => ({
      action: 'user.force_offline',
      user: { tokenEpoch: epochOfForcedLogout(this.clock.now(), tokenEpoch) },
    });
  }

  private async changeAndTell(
    user: User,
    event: UserEvent['type'],
    change: UserChange,
    alsoWrite?: UserStep,
  ): Promise<User> {
    const changed = await this.change(user, change, alsoWrite);
    this.events.publish({ type: event, user: changed });
    return changed;
  }

  private async change(user: User, change: UserChange, alsoWrite?: UserStep): Promise<User> {
    return ((await this.writes.change(user.appId, user, change, alsoWrite)) ?? notFound()).user;
  }

  /** Users deleted meanwhile count as unknown. */
  private async changeAll(appId: string, usernames: readonly string[], change: UserChange): Promise<User[]> {
    const known = await this.users.findAll(appId, usernames);
    const results = await this.writes.changeEach(appId, known, change);
    const users = results.filter((result) => result !== null).map(({ user }) => user);
    return users.length === 0 ? notFound() : users;
  }

  /**
   * Whether these terms repeat those of a stored ban. Its reason and note are read before the user is locked: if
   * another call changes them in between, this one counts as the earlier.
   */
  private async saysTheSame(user: User, { reason, note }: BanTerms): Promise<(ban: Ban) => boolean> {
    if (user.ban === null || (reason === null && note === null)) return () => true;
    const [latest] = await this.bans.list(user.appId, user.uuid, null, 1);
    const repeats = [latest?.reason ?? null, null].includes(reason) && [latest?.note ?? null, null].includes(note);
    return () => repeats;
  }

  private banning(terms: BanTerms, { by, source }: BanOrigin, saysTheSame: (ban: Ban) => boolean): UserChange {
    const { startsAt, endsAt, reason, note } = terms;
    return (user) => {
      const now = this.clock.now();
      const before = user.ban;
      const state = banStateAt(before, now);
      // The caller is told: a planned ban would lift the one in force until it begins.
      if (state === 'active' && startsAt !== null) return null;
      const asBefore = state === (startsAt === null ? 'active' : 'planned') && before?.endsAt === endsAt;
      if (asBefore && (startsAt === null || before.startsAt === startsAt) && saysTheSame(before)) return null;
      // While a ban is in force and stored so, there are no tokens to end.
      const ended = startsAt !== null || (state === 'active' && before?.startsAt === null);
      return {
        action: 'user.ban',
        user: { ban: { startsAt, endsAt }, tokenEpoch: ended ? user.tokenEpoch : this.nextEpoch(user) },
        banChange: { kind: 'ban', reason, note, by, source },
      };
    };
  }

  private unbanning(reason: string | null, { by, source }: BanOrigin): UserChange {
    return (user) => {
      const state = banStateAt(user.ban, this.clock.now());
      return state === 'active' || state === 'planned'
        ? { action: 'user.unban', user: { ban: null }, banChange: { kind: 'lift', reason, by, source } }
        : null;
    };
  }

  private nextEpoch({ tokenEpoch }: User): number {
    return epochOfRevocation(this.clock.now(), tokenEpoch);
  }
}

function notFound(): never {
  throw new AppError('user_not_found');
}
