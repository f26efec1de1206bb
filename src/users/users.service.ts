import { Injectable } from '@nestjs/common';
import type { App } from '../apps/app.js';
import { checkPassword } from '../passwords/password.js';
import { PasswordHasher } from '../passwords/password-hasher.service.js';
import { epochOfForcedLogout, epochOfRevocation, isForOwner } from './token-epoch.js';
import { Clock } from '../clock/clock.js';
import type { Transaction } from '../database/database.js';
import { AppError } from '../errors/app-error.js';
import { checkReason } from './activation-reason.js';
import { readCursor, writeCursor } from '../cursors/list-cursor.js';
import { checkNickname, maxLongNicknameLength } from './nickname.js';
import { ReleasedNamesRepository } from './released-names.repository.js';
import type { User } from './user.js';
import { type UserEvent, UserEvents } from './user-events.js';
import { isIndexed, type UserOrder } from './user-order.js';
import { UserPagesRepository } from './user-pages.repository.js';
import type { UserStep } from './user-step.js';
import { checkLongUsername, checkUsername, isUuid, usernameKey } from './username.js';
import { type UserChange, type UserIdentity, UsersRepository } from './users.repository.js';

export interface NewAccount {
  readonly username: string;
  readonly password?: string | undefined;
  readonly nickname?: string | undefined;
}

export interface Registration {
  /** The new users, in the order of the request. */
  readonly registered: readonly User[];
  /** The names that belong to somebody already, as the caller wrote them. */
  readonly taken: readonly string[];
}

export interface UserPage {
  readonly users: readonly User[];
  /** Where the next page begins; null: there is none. */
  readonly cursor: string | null;
}

export interface NumberedPage {
  readonly users: readonly User[];
  /** How many users the app has. */
  readonly total: number;
}

export const maxBatchSize = 60;
/** An order without an index looks at every user for each page: above this, one would take too long. */
const maxSortedUsers = 100_000;
const maxPlainPage = 500;

/** Whether a page looks at every user of the app, or has very many itself. */
export function isCostlyPage(order: UserOrder, limit: number): boolean {
  return isSorted(order) || limit > maxPlainPage;
}

function isSorted([first]: UserOrder): boolean {
  return first !== undefined && !isIndexed(first.by);
}

/** Owns the accounts: register, find, list, change, ban, delete, and the end of tokens that goes with it. */
@Injectable()
export class UsersService {
  constructor(
    private readonly repository: UsersRepository,
    private readonly pages: UserPagesRepository,
    private readonly passwords: PasswordHasher,
    private readonly clock: Clock,
    private readonly events: UserEvents,
    private readonly releasedNames: ReleasedNamesRepository,
  ) {}

  /**
   * Registers up to 60 users in one transaction. Names that are taken are told apart; a name that is illegal anywhere
   * in the request, or a missing password, registers nobody.
   * @param passwordOptional whether an account may be without a password; such a user logs in with tokens only
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
    const results = await this.repository.insert(app.id, rows);
    return {
      registered: results.filter((user) => user !== null),
      taken: wanted.flatMap((account, index) => (results[index] === null ? account.written : [])),
    };
  }

  /**
   * Registers one user whose name may be an address: up to 255 characters, `@` among them.
   * @param password null: the account has none, and its user logs in with tokens only
   * @param together is written in the same transaction
   * @returns null when the name is taken @throws AppError username_*, nickname_too_long, password_*, overloaded
   */
  async registerOne(
    app: App,
    account: { username: string; nickname: string | null; password: string | null },
    together: UserStep,
  ): Promise<User | null> {
    const username = checkLongUsername(account.username);
    const nickname = account.nickname === null ? null : checkNickname(account.nickname, maxLongNicknameLength);
    if (account.password !== null) checkPassword(account.password);
    const passwordHash = account.password === null ? null : await this.passwords.hash(account.password, app.id);
    const [user] = await this.repository.insert(app.id, [{ username, nickname, passwordHash }], together);
    return user ?? null;
  }

  /** The user of this name in any case, or null. */
  async find(appId: string, username: string): Promise<User | null> {
    const key = usernameKey(username);
    return key === null ? null : this.repository.find(appId, key);
  }

  async findByUuid(appId: string, uuid: string): Promise<User | null> {
    return isUuid(uuid) ? this.repository.findByUuid(appId, uuid.toLowerCase()) : null;
  }

  /** The users of these uuids that exist, by uuid, in one statement: for up to 500 at once. */
  findAllByUuid(appId: string, uuids: readonly string[]): Promise<ReadonlyMap<string, User>> {
    return this.repository.findAllByUuid(appId, uuids);
  }

  /**
   * The user that a caller means by a uuid or, where nobody has that uuid, by a name: who got the name of another's uuid,
   * as older versions allowed, is not to be taken for that one. For callers only: where the user is known already, a
   * name is looked up with `find`. @throws AppError user_not_found
   */
  async get(appId: string, nameOrUuid: string): Promise<User> {
    const user = (await this.findByUuid(appId, nameOrUuid)) ?? (await this.find(appId, nameOrUuid));
    return user ?? notFound();
  }

  /**
   * Whether what was issued in this second for the user's name is for this user, not for an earlier one of the name. The user
   * was read before: a name is released in the transaction that frees it.
   */
  async isForOwner({ appId, username, createdAt }: User, atSeconds: number): Promise<boolean> {
    return isForOwner(atSeconds, createdAt, await this.releasedNames.lastRelease(appId, username));
  }

  /** The user of this name, registered without a password if there was none. @throws AppError username_* */
  async getOrRegister(app: App, username: string): Promise<User> {
    const known = await this.find(app.id, username);
    if (known !== null) return known;
    const { registered } = await this.register(app, [{ username }], true);
    // Nobody registered: somebody else was quicker, and that user is as good.
    return registered[0] ?? (await this.find(app.id, username)) ?? notFound();
  }

  /**
   * The users of these folded names, which nobody can change or delete until the transaction ends. Comes first in a
   * transaction: every other lock is taken after those of users, and so nobody waits in a circle. What can be nobody's
   * name is not looked up: MariaDB would find `ann` for `ann` and a blank.
   */
  lockForUpdate(transaction: Transaction, appId: string, usernames: readonly string[]): Promise<User[]> {
    return this.repository.lockForUpdate(
      transaction,
      appId,
      usernames.filter((username) => usernameKey(username) !== null),
    );
  }

  /** Users in the order of their registration. @throws AppError cursor_invalid */
  async list(appId: string, limit: number, cursor: string | null): Promise<UserPage> {
    const users = await this.repository.listAfter(appId, afterIdOf(appId, cursor), limit + 1);
    const page = users.slice(0, limit);
    return { users: page, cursor: users.length > limit ? cursorAfter(appId, page) : null };
  }

  /** The users of these names in any case, each once, in the order of the names; who is not there is left out. */
  findAll(appId: string, usernames: readonly string[]): Promise<User[]> {
    const keys = new Set(usernames.map((name) => usernameKey(name)).filter((key) => key !== null));
    return this.repository.findAll(appId, [...keys]);
  }

  /**
   * The users on a numbered page (1: the first). Any page by id or username costs the same; another order is only for
   * apps of up to 100,000 users. A page that is far from both ends may lag by what came or went in the last 60 s. Whoever
   * asks for a page that `isCostlyPage` asks as a costly read.
   * @throws AppError argument_invalid
   */
  async listPage(appId: string, order: UserOrder, page: number, limit: number): Promise<NumberedPage> {
    const total = await this.count(appId);
    if (isSorted(order) && total > maxSortedUsers)
      throw new AppError('argument_invalid', {
        detail: `an app of over ${maxSortedUsers} users can be ordered by id, time of registration or name only`,
      });
    const usernames = await this.pages.usernamesAt(appId, order, { offset: (page - 1) * limit, limit, total });
    return { users: await this.repository.findAll(appId, usernames), total };
  }

  /** How many users the app has. */
  count(appId: string): Promise<number> {
    return this.repository.count(appId);
  }

  /** Deletes a user and what belongs to it. @returns the user as it was @throws AppError user_not_found */
  async delete(appId: string, nameOrUuid: string): Promise<User> {
    const known = await this.get(appId, nameOrUuid);
    const user = (await this.repository.delete(appId, known)) ?? notFound();
    this.events.publish({ type: 'deleted', user });
    return user;
  }

  /** Deletes the oldest `limit` users after the cursor. @returns them as they were @throws AppError cursor_invalid */
  async deleteOldest(appId: string, limit: number, cursor: string | null): Promise<UserPage> {
    const { deleted, lastId } = await this.repository.deleteAfter(appId, afterIdOf(appId, cursor), limit);
    for (const user of deleted) this.events.publish({ type: 'deleted', user });
    return { users: deleted, cursor: lastId === null ? null : writeCursor(appId, lastId) };
  }

  /** Sets a new password and ends every token and session of the user. @throws AppError user_not_found, password_* */
  async changePassword(appId: string, nameOrUuid: string, password: string): Promise<User> {
    checkPassword(password);
    const user = await this.get(appId, nameOrUuid);
    const passwordHash = await this.passwords.hash(password, appId);
    return this.change(user, 'password_changed', (before) => ({
      user: { passwordHash, tokenEpoch: this.nextEpoch(before) },
    }));
  }

  /** Sets the nickname, or with an empty one takes it away. @throws AppError user_not_found, nickname_too_long */
  async changeNickname(appId: string, nameOrUuid: string, text: string): Promise<User> {
    const nickname = text === '' ? null : checkNickname(text);
    return this.change(await this.get(appId, nameOrUuid), null, () => ({ user: { nickname } }));
  }

  /**
   * Gives a user another nickname or password, and writes `together` in the same transaction; what is undefined or null
   * stays as it is then. The password that the user has already changes nothing; another one ends every token and session.
   * @throws AppError user_not_found, nickname_too_long, password_*, overloaded
   */
  async update(
    user: User,
    { nickname, password }: { nickname: string | undefined; password: string | null },
    together?: UserStep,
  ): Promise<User> {
    if (nickname !== undefined) checkNickname(nickname, maxLongNicknameLength);
    const passwordHash = password === null ? null : await this.hashIfNew(user, password);
    const named = nickname === undefined || nickname === user.nickname;
    if (named && passwordHash === null && together === undefined) return user;
    const told = passwordHash === null ? null : 'password_changed';
    return this.change(
      user,
      told,
      (before) => ({
        user: {
          ...(nickname === undefined ? {} : { nickname }),
          ...(passwordHash === null ? {} : { passwordHash, tokenEpoch: this.nextEpoch(before) }),
        },
      }),
      together,
    );
  }

  /** Bans a user: no session stays, no token is good, no login until unbanned. Again: nothing changes. */
  async ban(appId: string, nameOrUuid: string, actor: string, reason: string | null): Promise<User> {
    checkReason(reason);
    return this.change(await this.get(appId, nameOrUuid), 'banned', this.banning(actor, reason));
  }

  /** Lifts a ban. Tokens from before it stay ended. Again: nothing changes. @throws AppError user_not_found */
  async unban(appId: string, nameOrUuid: string, actor: string, reason: string | null): Promise<User> {
    checkReason(reason);
    return this.change(await this.get(appId, nameOrUuid), null, unbanning(actor, reason));
  }

  /** Bans those of the named users who exist, in one transaction. @throws AppError user_not_found when nobody does */
  banAll(appId: string, usernames: readonly string[], actor: string): Promise<User[]> {
    return this.changeAll(appId, usernames, 'banned', this.banning(actor, null));
  }

  /** Lifts the bans of those who exist, in one transaction. @throws AppError user_not_found when nobody does */
  unbanAll(appId: string, usernames: readonly string[], actor: string): Promise<User[]> {
    return this.changeAll(appId, usernames, null, unbanning(actor, null));
  }

  /** Ends every token and session of the user. @throws AppError user_not_found */
  async revokeTokens(appId: string, nameOrUuid: string): Promise<User> {
    return this.revokeTokensOf(await this.get(appId, nameOrUuid));
  }

  /** The same for a known user, and writes `together` in the same transaction. @throws AppError user_not_found */
  revokeTokensOf(user: User, together?: UserStep): Promise<User> {
    return this.change(
      user,
      'tokens_revoked',
      (locked) => ({ user: { tokenEpoch: this.nextEpoch(locked) } }),
      together,
    );
  }

  /**
   * Moves a user offline: every session and every token of before ends, and logging in anew is allowed at once, with an
   * AccessToken2 of the same second too. @throws AppError user_not_found
   */
  async forceOffline(appId: string, nameOrUuid: string): Promise<User> {
    return this.change(await this.get(appId, nameOrUuid), 'forced_offline', ({ tokenEpoch }) => ({
      user: { tokenEpoch: epochOfForcedLogout(this.clock.now(), tokenEpoch) },
    }));
  }

  /**
   * The user whose password this is.
   * @throws AppError user_not_found, password_mismatch (also for a user without a password), user_banned
   */
  async authenticate(appId: string, username: string, password: string): Promise<User> {
    const user = await this.find(appId, username);
    if (user === null) throw new AppError('user_not_found', { detail: 'password' });
    const matches = user.passwordHash !== null && (await this.passwords.verify(user.passwordHash, password, appId));
    if (!matches) throw new AppError('password_mismatch');
    if (!user.activated) throw new AppError('user_banned');
    return user;
  }

  private async change(
    user: UserIdentity & Pick<User, 'appId'>,
    told: UserEvent['type'] | null,
    change: UserChange,
    together?: UserStep,
  ): Promise<User> {
    const result = (await this.repository.change(user.appId, user, change, together)) ?? notFound();
    // Also when nothing changed: a repeated ban must close a session that slipped through the first.
    if (told !== null) this.events.publish({ type: told, user: result.user });
    return result.user;
  }

  /** Who was deleted just now is as good as unknown. */
  private async changeAll(
    appId: string,
    usernames: readonly string[],
    told: UserEvent['type'] | null,
    change: UserChange,
  ): Promise<User[]> {
    const known = await this.findAll(appId, usernames);
    const results = await this.repository.changeEach(appId, known, change);
    const users = results.filter((result) => result !== null).map(({ user }) => user);
    if (told !== null) for (const user of users) this.events.publish({ type: told, user });
    return users.length === 0 ? notFound() : users;
  }

  private banning(actor: string, reason: string | null): UserChange {
    return (user) =>
      user.activated
        ? { user: { activated: false, tokenEpoch: this.nextEpoch(user) }, activation: { actor, reason } }
        : null;
  }

  /** null: it is the password that the user has. */
  private async hashIfNew(user: User, password: string): Promise<string | null> {
    checkPassword(password);
    const same = user.passwordHash !== null && (await this.passwords.verify(user.passwordHash, password, user.appId));
    return same ? null : this.passwords.hash(password, user.appId);
  }

  private nextEpoch({ tokenEpoch }: User): number {
    return epochOfRevocation(this.clock.now(), tokenEpoch);
  }
}

function unbanning(actor: string, reason: string | null): UserChange {
  return (user) => (user.activated ? null : { user: { activated: true }, activation: { actor, reason } });
}

interface CheckedAccount {
  readonly username: string;
  /** The name as the caller wrote it. */
  readonly written: string;
  readonly nickname: string | null;
  readonly password: string | null;
}

function checkAccount(account: NewAccount, passwordOptional: boolean): CheckedAccount {
  const username = checkUsername(account.username);
  const { password = '', nickname } = account;
  if (password !== '' || !passwordOptional) checkPassword(password);
  return {
    username,
    written: account.username,
    password: password === '' ? null : password,
    nickname: nickname === undefined || nickname === '' ? null : checkNickname(nickname),
  };
}

/** The same user twice with one password is one user; with two passwords nobody can tell which is meant. */
function withoutRepeats(accounts: readonly CheckedAccount[]): CheckedAccount[] {
  const unique = new Map<string, CheckedAccount>();
  for (const account of accounts) {
    const first = unique.get(account.username);
    if (first === undefined) unique.set(account.username, account);
    else if (first.password !== account.password)
      throw new AppError('batch_contradictory', { detail: account.written });
  }
  return [...unique.values()];
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
