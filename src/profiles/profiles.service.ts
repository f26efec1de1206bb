import { randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { App } from '../apps/app.js';
import { CostlyReads, slicesOf } from '../database/costly-reads.js';
import { AppError } from '../errors/app-error.js';
import { beginAnewOutsideTransaction } from '../database/unit-of-work.js';
import { bannedError } from '../users/banned-error.js';
import type { User } from '../users/user.js';
import { UserEvents } from '../users/user-events.js';
import type { UserOrder } from '../users/user-order.js';
import { isCostlyPage, UserPagesService } from '../users/user-pages.service.js';
import { UserRevocationsService } from '../users/user-revocations.service.js';
import { UsersService } from '../users/users.service.js';
import type { ProfiledUser } from './profile.js';
import { checkDetails, type ProfileDetails } from './profile-rules.js';
import { toProfiledUser } from './profile-row.js';
import { isCurrent, ProfilesRepository } from './profiles.repository.js';
import { deriveRefreshToken, deriveUserToken, hashUserToken, isUserToken } from './user-token.js';

/** A login's details about its user. */
export interface LoginDetails extends ProfileDetails {
  readonly userId: string;
}

export interface UserTokens {
  /** 20 of `A-Z a-z 0-9`. */
  readonly token: string;
  readonly refreshToken: string;
}

export interface ProfilePage {
  readonly users: readonly ProfiledUser[];
  /** How many users the app has, or how many were found. */
  readonly total: number;
}

const generatedPasswordBytes = 32;
/** Profiles read before yielding to others: each may have extras of 16 KiB. */
const profilesAtOnce = 50;
/** Finding more users by name is a costly read. */
const maxPlainNames = 100;
const uuidOfNobody = '00000000-0000-0000-0000-000000000000';

/**
 * Owns what a user shows beyond the account: the name as written, avatar and extras; the single user token, which stays
 * the same until it is reset; and the logins that register missing users.
 */
@Injectable()
export class ProfilesService {
  constructor(
    private readonly repository: ProfilesRepository,
    private readonly users: UsersService,
    private readonly pages: UserPagesService,
    private readonly revocations: UserRevocationsService,
    private readonly costlyReads: CostlyReads,
    events: UserEvents,
  ) {
    events.onDeleteInTransaction((transaction, appId, users) =>
      this.repository.deleteAll(
        transaction,
        appId,
        users.map((user) => user.uuid),
      ),
    );
  }

  /**
   * Registers or changes a user for an app server, which needs to prove nothing: a given password becomes the user's.
   * Without one, a new user gets a random password that nobody knows; an existing user must be given one, unless the
   * app's `qiscus_password_optional` is on.
   * @throws AppError user_banned, password_*, username_*, nickname_too_long, argument_invalid, overloaded
   */
  async loginByServer(app: App, details: LoginDetails, password: string | null): Promise<ProfiledUser> {
    const known = await this.users.find(app.id, details.userId);
    const user = known ?? (await this.register(app, details, password ?? randomPassword()));
    if (user !== null && known === null) return this.profileOf(user);
    // A name that was free a moment ago and is now taken belongs to an existing user.
    const existing = known ?? (await this.getUser(app.id, details.userId));
    if (!existing.activated) throw bannedError(existing);
    if (password === null && !app.settings.qiscus_password_optional) throw new AppError('password_missing');
    return this.update(app, existing, details, password);
  }

  /**
   * Logs in a user who knows the password, and changes what is given. If the app is open to registration
   * (`open_registration`), a free name registers a new user.
   * @throws AppError password_mismatch, user_banned, registration_closed, and as `loginByServer`
   */
  async loginByPassword(app: App, details: LoginDetails, password: string): Promise<ProfiledUser> {
    if ((await this.users.find(app.id, details.userId)) === null) {
      if (!app.settings.open_registration) throw new AppError('registration_closed');
      const user = await this.register(app, details, password);
      if (user !== null) return this.profileOf(user);
    }
    return this.update(app, await this.users.authenticate(app.id, details.userId, password), details);
  }

  /**
   * Logs in a user the app vouches for, or registers one without a password.
   * @param issuedAtSeconds when the app did so, if not now; a user who took this name later is not meant
   * @throws AppError token_not_accepted, and as `loginByServer`
   */
  async loginByIdentity(app: App, details: LoginDetails, issuedAtSeconds = Infinity): Promise<ProfiledUser> {
    if ((await this.users.find(app.id, details.userId)) === null) {
      const user = await this.register(app, details, null);
      if (user !== null) return this.profileOf(user);
    }
    const user = await this.getUser(app.id, details.userId);
    if (!(await this.users.isForOwner(user, issuedAtSeconds))) throw new AppError('token_not_accepted');
    if (!user.activated) throw bannedError(user);
    return this.update(app, user, details);
  }

  /** The user with this name in any case. @throws AppError user_not_found */
  async get(appId: string, userId: string): Promise<ProfiledUser> {
    return this.profileOf(await this.getUser(appId, userId));
  }

  /** The user as others see it. */
  async profileOf(user: User): Promise<ProfiledUser> {
    return toProfiledUser(user, await this.repository.find(user.appId, user.uuid));
  }

  /** Changes a profile. @throws AppError user_not_found, nickname_too_long, password_*, argument_invalid, overloaded */
  async update(app: App, user: User, details: ProfileDetails, password: string | null = null): Promise<ProfiledUser> {
    const change = checkDetails(details);
    const known = await this.repository.find(app.id, user.uuid);
    const differs =
      (change.avatarUrl !== undefined && change.avatarUrl !== known?.avatar_url) ||
      (change.extras !== undefined && change.extras !== known?.extras);
    const changed = await this.users.update(
      user,
      { nickname: details.displayName, password },
      differs
        ? (transaction, locked) => this.repository.save(transaction, app, locked, locked.username, change)
        : undefined,
    );
    return this.profileOf(changed);
  }

  /** The users with these names in any case; unknown names are left out. */
  async findAll(appId: string, userIds: readonly string[]): Promise<ProfiledUser[]> {
    const find = async (): Promise<ProfiledUser[]> => {
      const users = new Map<string, User>();
      for await (const some of slicesOf(userIds, profilesAtOnce))
        for (const user of await this.users.findAll(appId, some)) users.set(user.uuid, user);
      return this.profiledAll(appId, [...users.values()]);
    };
    return userIds.length > maxPlainNames ? this.costlyReads.run(appId, find) : find();
  }

  /** The users with these uuids, in their order; unknown uuids are left out. */
  async findAllByUuid(appId: string, uuids: readonly string[]): Promise<ProfiledUser[]> {
    const found = await this.users.findAllByUuid(appId, uuids);
    return this.profiledAll(
      appId,
      uuids.flatMap((uuid) => found.get(uuid) ?? []),
    );
  }

  /** A numbered page of users: `UserPagesService.list`. @throws AppError argument_invalid, rate_limited, overloaded */
  async listPage(appId: string, order: UserOrder, page: number, limit: number, search = ''): Promise<ProfilePage> {
    const read = async (): Promise<ProfilePage> => {
      const { users, total } = await this.pages.list(appId, order, page, limit, search);
      return { users: await this.profiledAll(appId, users), total };
    };
    return isCostlyPage(order, limit, search) ? this.costlyReads.run(appId, read) : read();
  }

  /** The user token, the same one until it is reset. @throws AppError user_not_found */
  async tokensOf(app: App, user: User): Promise<UserTokens> {
    let row = await this.repository.find(app.id, user.uuid);
    if (row === null || !isCurrent(app, row)) {
      await this.keepToken(app, user);
      row = await this.repository.find(app.id, user.uuid);
    }
    if (row === null) throw new AppError('user_not_found');
    const version = row.token_version;
    return {
      token: deriveUserToken(app, user.uuid, version),
      refreshToken: deriveRefreshToken(app, user.uuid, version),
    };
  }

  /**
   * The tokens for a user who has presented one: a user token comes with its refresh token. Any other token, or a user
   * token that was reset meanwhile, comes alone: neither may be exchanged for one that lasts.
   */
  async tokensOfHolder(app: App, user: User, shown: string): Promise<UserTokens> {
    const tokens = isUserToken(shown) ? await this.tokensOf(app, user) : null;
    return tokens?.token === shown ? tokens : { token: shown, refreshToken: '' };
  }

  /** Ends the user token, and with it every other token and every session. @throws AppError user_not_found */
  async resetToken(app: App, userId: string): Promise<UserTokens> {
    const { user } = await this.get(app.id, userId);
    const reset = await this.revocations.revokeTokensOf(user, (transaction, locked) =>
      this.repository.resetToken(transaction, app, locked),
    );
    return this.tokensOf(app, reset);
  }

  /**
   * Returns the user token again to a client with the refresh token. Nothing is written until that is checked, and
   * unknown users take the same path, so neither rows nor timing reveal to a guesser which users exist.
   * @throws AppError refresh_token_not_accepted, user_banned
   */
  async refresh(app: App, userId: string, refreshToken: string): Promise<UserTokens> {
    const user = await this.users.find(app.id, userId);
    const uuid = user?.uuid ?? uuidOfNobody;
    const version = (await this.repository.find(app.id, uuid))?.token_version ?? 0;
    const isRight = isSameText(deriveRefreshToken(app, uuid, version), refreshToken);
    if (user === null || !isRight) throw new AppError('refresh_token_not_accepted');
    if (!user.activated) throw bannedError(user);
    return this.tokensOf(app, user);
  }

  /**
   * The owner of this user token, or null, with the user's epoch at the moment the token was valid. Banned users keep
   * their token: the caller must refuse it.
   */
  async findByToken(app: App, token: string): Promise<{ user: User; tokenEpoch: number } | null> {
    if (!isUserToken(token)) return null;
    const owner = await this.repository.findTokenOwner(app.id, hashUserToken(token));
    if (owner === null) return null;
    const { userUuid, tokenVersion, tokenEpoch } = owner;
    // The stored hash finds the user; the app's current secret decides whether the token is valid.
    if (!isSameText(deriveUserToken(app, userUuid, tokenVersion), token)) return null;
    const user = await this.users.findByUuid(app.id, userUuid);
    return user === null ? null : { user, tokenEpoch };
  }

  /** By name only: this dialect has no uuids. */
  private async getUser(appId: string, userId: string): Promise<User> {
    const user = await this.users.find(appId, userId);
    if (user === null) throw new AppError('user_not_found');
    return user;
  }

  /** null: the name is taken, so the caller may check a password next. */
  private async register(app: App, details: LoginDetails, password: string | null): Promise<User | null> {
    const { userId: username, displayName: nickname = null } = details;
    const change = checkDetails(details);
    const user = await this.users.registerOne(app, { username, nickname, password }, (transaction, registered) =>
      this.repository.save(transaction, app, registered, username, change),
    );
    if (user === null) beginAnewOutsideTransaction();
    return user;
  }

  private async keepToken(app: App, { username, uuid }: User): Promise<void> {
    await this.repository.write(app.id, async (transaction) => {
      for (const user of await this.users.lockForUpdate(transaction, app.id, [username]))
        if (user.uuid === uuid) await this.repository.keepToken(transaction, app, user);
    });
  }

  private async profiledAll(appId: string, users: readonly User[]): Promise<ProfiledUser[]> {
    const profiled: ProfiledUser[] = [];
    for await (const some of slicesOf(users, profilesAtOnce)) {
      const profiles = await this.repository.findAll(
        appId,
        some.map((user) => user.uuid),
      );
      profiled.push(...some.map((user, index) => toProfiledUser(user, profiles[index] ?? null)));
    }
    return profiled;
  }
}

function randomPassword(): string {
  return randomBytes(generatedPasswordBytes).toString('base64url');
}

function isSameText(one: string, other: string): boolean {
  const [first, second] = [Buffer.from(one), Buffer.from(other)];
  return first.length === second.length && timingSafeEqual(first, second);
}
