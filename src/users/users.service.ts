import { Injectable } from '@nestjs/common';
import type { App } from '../apps/app.js';
import { checkPassword } from '../passwords/password.js';
import { PasswordHasher } from '../passwords/password-hasher.service.js';
import { epochOfRevocation, isForOwner } from './token-epoch.js';
import { Clock } from '../clock/clock.js';
import type { Transaction } from '../database/database.js';
import { AppError } from '../errors/app-error.js';
import { readCursor, writeCursor } from '../cursors/list-cursor.js';
import { bannedError } from './banned-error.js';
import { checkAccount, type NewAccount, withoutRepeats } from './new-account.js';
import { checkNickname, maxLongNicknameLength } from './nickname.js';
import { ReleasedNamesRepository } from './released-names.repository.js';
import type { User } from './user.js';
import { UserEvents } from './user-events.js';
import type { UserStep } from './user-step.js';
import { checkLongUsername, foldUsername, isUuid, usernameKey } from './username.js';
import type { UserChange, UserIdentity } from './user-change.js';
import { UserWritesRepository } from './user-writes.repository.js';
import { UsersRepository } from './users.repository.js';

export interface Registration {
  /** The new users, in the order of the request. */
  readonly registered: readonly User[];
  /** The names that are taken, as the caller wrote them. */
  readonly taken: readonly string[];
}

export interface UserPage {
  readonly users: readonly User[];
  /** Where the next page begins; null: there is none. */
  readonly cursor: string | null;
}

export const maxBatchSize = 60;
/** Owns the accounts: register, find, list, change, authenticate, delete. */
@Injectable()
export class UsersService {
  constructor(
    private readonly repository: UsersRepository,
    private readonly writes: UserWritesRepository,
    private readonly passwords: PasswordHasher,
    private readonly clock: Clock,
    private readonly events: UserEvents,
    private readonly releasedNames: ReleasedNamesRepository,
  ) {}

  /**
   * Registers up to 60 users in one transaction. Taken names are reported; an illegal name anywhere in the request,
   * or a missing password, registers nobody.
   * @param passwordOptional whether an account may have no password; its user logs in with tokens only
   * @throws AppError batch_too_large, batch_contradictory, username_*, nickname_too_long, password_*, overloaded
   */
  async register(app: App, accounts: readonly NewAccount[], passwordOptional: boolean): Promise<Registration> {
    if (accounts.length > maxBatchSize)
      throw new AppError('batch_too_large', { count: accounts.length, limit: maxBatchSize });
    const wanted = withoutRepeats(accounts.map((account) => checkAccount(account, passwordOptional)));
    const hashes = await this.passwords.hashAll(
      wanted.map(({ password }) => password),
      app.id,
    );
    const rows = wanted.map(({ username, nickname }, index) => ({
      username,
      nickname,
      passwordHash: hashes[index] ?? null,
    }));
    const results = await this.writes.insert(app.id, rows);
    return {
      registered: results.filter((user) => user !== null),
      taken: wanted.flatMap((account, index) => (results[index] === null ? account.written : [])),
    };
  }

  /**
   * Registers one user whose name may be an address: up to 255 characters, including `@`.
   * @param password null: the account has none, and its user logs in with tokens only
   * @param alsoWrite written in the same transaction
   * @returns null if the name is taken
   * @throws AppError username_*, nickname_too_long, password_*, overloaded
   */
  async registerOne(
    app: App,
    account: { username: string; nickname: string | null; password: string | null },
    alsoWrite: UserStep,
  ): Promise<User | null> {
    const username = checkLongUsername(account.username);
    const nickname = account.nickname === null ? null : checkNickname(account.nickname, maxLongNicknameLength);
    if (account.password !== null) checkPassword(account.password);
    const passwordHash = account.password === null ? null : await this.passwords.hash(account.password, app.id);
    const [user] = await this.writes.insert(app.id, [{ username, nickname, passwordHash }], alsoWrite);
    return user ?? null;
  }

  /** The user with this name in any case, or null. */
  async find(appId: string, username: string): Promise<User | null> {
    const key = usernameKey(username);
    return key === null ? null : this.repository.find(appId, key);
  }

  async findByUuid(appId: string, uuid: string): Promise<User | null> {
    return isUuid(uuid) ? this.repository.findByUuid(appId, uuid.toLowerCase()) : null;
  }

  /** The existing users with these uuids, by uuid, in one statement: up to 500 at once. */
  findAllByUuid(appId: string, uuids: readonly string[]): Promise<ReadonlyMap<string, User>> {
    return this.repository.findAllByUuid(appId, uuids);
  }

  /**
   * The user with this uuid or, if nobody has it, with this name: older versions allowed a name that is another user's
   * uuid. For caller input; use `find` for what is known to be a name.
   * @throws AppError user_not_found
   */
  async get(appId: string, nameOrUuid: string): Promise<User> {
    return (await this.getIfThere(appId, nameOrUuid)) ?? notFound();
  }

  /** As `get`, or null. */
  async getIfThere(appId: string, nameOrUuid: string): Promise<User | null> {
    return (await this.findByUuid(appId, nameOrUuid)) ?? this.find(appId, nameOrUuid);
  }

  /** As `get` for up to 500, in their order; null for each unknown one. */
  async findEach(appId: string, namesOrUuids: readonly string[]): Promise<(User | null)[]> {
    const byUuid = await this.findAllByUuid(
      appId,
      namesOrUuids.filter(isUuid).map((uuid) => uuid.toLowerCase()),
    );
    const byName = new Map((await this.findAll(appId, namesOrUuids)).map((user) => [user.username, user]));
    return namesOrUuids.map((text) => byUuid.get(text.toLowerCase()) ?? byName.get(foldUsername(text)) ?? null);
  }

  /**
   * Whether a token issued in this second for the user's name was meant for this user, not for an earlier owner of the
   * name. Read the user first: a name's release is recorded in the transaction that frees it.
   */
  async isForOwner({ appId, username, createdAt }: User, atSeconds: number): Promise<boolean> {
    return isForOwner(atSeconds, createdAt, await this.releasedNames.lastRelease(appId, username));
  }

  /** The user with this name, registered without a password if there was none. @throws AppError username_* */
  async getOrRegister(app: App, username: string): Promise<User> {
    const known = await this.find(app.id, username);
    if (known !== null) return known;
    const { registered } = await this.register(app, [{ username }], true);
    // Taken: another call registered the user first, so use that one.
    return registered[0] ?? (await this.find(app.id, username)) ?? notFound();
  }

  /**
   * The users with these folded names, locked against change and deletion until this transaction ends. Call it first:
   * every other lock is taken after those of users, which prevents deadlocks. Text that cannot be a name is not looked
   * up: MariaDB would match `ann` for `ann` with a trailing blank.
   */
  lockForUpdate(transaction: Transaction, appId: string, usernames: readonly string[]): Promise<User[]> {
    return this.repository.lockForUpdate(
      transaction,
      appId,
      usernames.filter((username) => usernameKey(username) !== null),
    );
  }

  /**
   * The same for users who were looked up before, by uuid.
   * @throws AppError user_not_found when one of them has since been deleted, even if another user has the name now
   */
  async lockAllForUpdate(
    transaction: Transaction,
    appId: string,
    users: readonly Pick<User, 'username' | 'uuid'>[],
  ): Promise<Map<string, User>> {
    const names = [...new Set(users.map(({ username }) => username))];
    const held = new Map((await this.lockForUpdate(transaction, appId, names)).map((user) => [user.uuid, user]));
    return users.every(({ uuid }) => held.has(uuid)) ? held : notFound();
  }

  /** Records whether a user, whose row the transaction has locked, has blocked others. */
  noteBlocks(transaction: Transaction, { appId, username }: User, hasBlocks: boolean): Promise<void> {
    return this.writes.noteBlocks(transaction, appId, username, hasBlocks);
  }

  /** Users in order of registration. @throws AppError cursor_invalid */
  async list(appId: string, limit: number, cursor: string | null): Promise<UserPage> {
    const users = await this.repository.listAfter(appId, afterIdOf(appId, cursor), limit + 1);
    const page = users.slice(0, limit);
    return { users: page, cursor: users.length > limit ? cursorAfter(appId, page) : null };
  }

  /** The users with these names in any case, each once, in the order of the names; unknown names are left out. */
  findAll(appId: string, usernames: readonly string[]): Promise<User[]> {
    const keys = new Set(usernames.map((name) => usernameKey(name)).filter((key) => key !== null));
    return this.repository.findAll(appId, [...keys]);
  }

  /** How many users the app has. */
  count(appId: string): Promise<number> {
    return this.repository.count(appId);
  }

  /** Deletes a user and what belongs to it. @returns its last state @throws AppError user_not_found */
  async delete(appId: string, nameOrUuid: string): Promise<User> {
    const known = await this.get(appId, nameOrUuid);
    const user = (await this.writes.delete(appId, known)) ?? notFound();
    this.events.publish({ type: 'deleted', user });
    return user;
  }

  /** Sets a new password and ends every token and session of the user. @throws AppError user_not_found, password_* */
  async changePassword(appId: string, nameOrUuid: string, password: string): Promise<User> {
    checkPassword(password);
    const user = await this.get(appId, nameOrUuid);
    const passwordHash = await this.passwords.hash(password, appId);
    return this.change(user, 'password_changed', (before) => ({
      action: 'user.change_password',
      user: { passwordHash, tokenEpoch: epochOfRevocation(this.clock.now(), before.tokenEpoch) },
    }));
  }

  /**
   * Sets nickname and password, and writes `alsoWrite` in the same transaction; undefined or null ones stay as they
   * are. The user's current password changes nothing; another one ends every token and session.
   * @throws AppError user_not_found, nickname_too_long, password_*, overloaded
   */
  async update(
    user: User,
    { nickname, password }: { nickname: string | undefined; password: string | null },
    alsoWrite?: UserStep,
  ): Promise<User> {
    if (nickname !== undefined) checkNickname(nickname, maxLongNicknameLength);
    const passwordHash = password === null ? null : await this.hashIfNew(user, password);
    const named = nickname === undefined || nickname === user.nickname;
    if (named && passwordHash === null && alsoWrite === undefined) return user;
    return this.change(
      user,
      passwordHash === null ? null : 'password_changed',
      (before) => ({
        action: passwordHash === null ? 'user.change_nickname' : 'user.change_password',
        user: {
          ...(nickname === undefined ? {} : { nickname }),
          ...(passwordHash === null
            ? {}
            : { passwordHash, tokenEpoch: epochOfRevocation(this.clock.now(), before.tokenEpoch) }),
        },
      }),
      alsoWrite,
    );
  }

  /**
   * The user with this name, if the password is right.
   * @throws AppError login_user_not_found, password_mismatch (also for a user without a password), user_banned
   */
  async authenticate(appId: string, username: string, password: string): Promise<User> {
    const user = await this.find(appId, username);
    if (user === null) throw new AppError('login_user_not_found');
    const matches = user.passwordHash !== null && (await this.passwords.verify(user.passwordHash, password, appId));
    if (!matches) throw new AppError('password_mismatch');
    if (!user.activated) throw bannedError(user);
    return user;
  }

  private async change(
    user: UserIdentity & Pick<User, 'appId'>,
    event: 'password_changed' | null,
    change: UserChange,
    alsoWrite?: UserStep,
  ): Promise<User> {
    const result = (await this.writes.change(user.appId, user, change, alsoWrite)) ?? notFound();
    if (event !== null) this.events.publish({ type: event, user: result.user });
    return result.user;
  }

  /** null: the user already has this password. */
  private async hashIfNew(user: User, password: string): Promise<string | null> {
    checkPassword(password);
    const same = user.passwordHash !== null && (await this.passwords.verify(user.passwordHash, password, user.appId));
    return same ? null : this.passwords.hash(password, user.appId);
  }
}

function afterIdOf(appId: string, cursor: string | null): number {
  return cursor === null ? 0 : readCursor(appId, cursor);
}

function cursorAfter(appId: string, page: readonly User[]): string | null {
  const last = page.at(-1);
  return last === undefined ? null : writeCursor(appId, last.id);
}

function notFound(): never {
  throw new AppError('user_not_found');
}
