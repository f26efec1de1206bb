import { Injectable } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { AppError } from '../errors/app-error.js';
import { checkReason } from './activation-reason.js';
import { epochOfForcedLogout, epochOfRevocation } from './token-epoch.js';
import type { User } from './user.js';
import { type UserEvent, UserEvents } from './user-events.js';
import type { UserStep } from './user-step.js';
import { type UserChange, UserWritesRepository } from './user-writes.repository.js';
import { UsersService } from './users.service.js';

/** Owns what ends the sessions and tokens of users: bans and unbans, the revocation of tokens, forced logout. */
@Injectable()
export class UserRevocationsService {
  constructor(
    private readonly users: UsersService,
    private readonly writes: UserWritesRepository,
    private readonly clock: Clock,
    private readonly events: UserEvents,
  ) {}

  /**
   * Bans a user: ends every session and token, and refuses logins until unbanned. Idempotent.
   * @throws AppError user_not_found, argument_invalid
   */
  async ban(appId: string, nameOrUuid: string, actor: string, reason: string | null): Promise<User> {
    checkReason(reason);
    return this.change(await this.users.get(appId, nameOrUuid), 'banned', this.banning(actor, reason));
  }

  /** Lifts a ban; earlier tokens stay revoked. Idempotent. @throws AppError user_not_found, argument_invalid */
  async unban(appId: string, nameOrUuid: string, actor: string, reason: string | null): Promise<User> {
    checkReason(reason);
    return this.change(await this.users.get(appId, nameOrUuid), null, unbanning(actor, reason));
  }

  /** Bans the named users that exist, in one transaction. @throws AppError user_not_found if none does */
  banAll(appId: string, usernames: readonly string[], actor: string): Promise<User[]> {
    return this.changeAll(appId, usernames, 'banned', this.banning(actor, null));
  }

  /** Unbans the named users that exist, in one transaction. @throws AppError user_not_found if none does */
  unbanAll(appId: string, usernames: readonly string[], actor: string): Promise<User[]> {
    return this.changeAll(appId, usernames, null, unbanning(actor, null));
  }

  /** Ends every token and session of the user. @throws AppError user_not_found */
  async revokeTokens(appId: string, nameOrUuid: string): Promise<User> {
    return this.revokeTokensOf(await this.users.get(appId, nameOrUuid));
  }

  /** As `revokeTokens` for a known user; writes `alsoWrite` in the same transaction. @throws AppError user_not_found */
  revokeTokensOf(user: User, alsoWrite?: UserStep): Promise<User> {
    return this.change(
      user,
      'tokens_revoked',
      (locked) => ({ action: 'user.revoke_tokens', user: { tokenEpoch: this.nextEpoch(locked) } }),
      alsoWrite,
    );
  }

  /**
   * Forces a user offline: ends every session and earlier token. A new login is allowed at once, even with an
   * AccessToken2 of the same second.
   * @throws AppError user_not_found
   */
  async forceOffline(appId: string, nameOrUuid: string): Promise<User> {
    return this.change(await this.users.get(appId, nameOrUuid), 'forced_offline', ({ tokenEpoch }) => ({
      action: 'user.force_offline',
      user: { tokenEpoch: epochOfForcedLogout(this.clock.now(), tokenEpoch) },
    }));
  }

  private async change(
    user: User,
    event: UserEvent['type'] | null,
    change: UserChange,
    alsoWrite?: UserStep,
  ): Promise<User> {
    const result = (await this.writes.change(user.appId, user, change, alsoWrite)) ?? notFound();
    // Even if nothing changed: a repeated ban must close a session that slipped through the first.
    if (event !== null) this.events.publish({ type: event, user: result.user });
    return result.user;
  }

  /** Users deleted meanwhile count as unknown. */
  private async changeAll(
    appId: string,
    usernames: readonly string[],
    event: UserEvent['type'] | null,
    change: UserChange,
  ): Promise<User[]> {
    const known = await this.users.findAll(appId, usernames);
    const results = await this.writes.changeEach(appId, known, change);
    const users = results.filter((result) => result !== null).map(({ user }) => user);
    if (event !== null) for (const user of users) this.events.publish({ type: event, user });
    return users.length === 0 ? notFound() : users;
  }

  private banning(actor: string, reason: string | null): UserChange {
    return (user) =>
      user.activated
        ? {
            action: 'user.ban',
            user: { activated: false, tokenEpoch: this.nextEpoch(user) },
            activation: { actor, reason },
          }
        : null;
  }

  private nextEpoch({ tokenEpoch }: User): number {
    return epochOfRevocation(this.clock.now(), tokenEpoch);
  }
}

function unbanning(actor: string, reason: string | null): UserChange {
  return (user) =>
    user.activated ? null : { action: 'user.unban', user: { activated: true }, activation: { actor, reason } };
}

function notFound(): never {
  throw new AppError('user_not_found');
}
