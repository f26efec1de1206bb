import { Injectable } from '@nestjs/common';
import type { App } from '../apps/app.js';
import { checkPassword } from '../auth/password.js';
import { PasswordHasher } from '../auth/password-hasher.service.js';
import { Clock } from '../clock/clock.js';
import { AppError } from '../errors/app-error.js';
import { readCursor, writeCursor } from './list-cursor.js';
import { checkNickname } from './nickname.js';
import type { User } from './user.js';
import { type UserEvent, UserEvents } from './user-events.js';
import { checkUsername, usernameKey } from './username.js';
import { type Changed, type UserChange, UsersRepository } from './users.repository.js';

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

export const batchMost = 60;

/** Owns the accounts: register, find, list, change, ban, delete, and the end of tokens that goes with it. */
@Injectable()
export class UsersService {
  constructor(
    private readonly repository: UsersRepository,
    private readonly passwords: PasswordHasher,
    private readonly clock: Clock,
    private readonly events: UserEvents,
  ) {}

  /**
   * Registers up to 60 users in one transaction. Names that are taken are told apart; a name that is illegal anywhere
   * in the request, or a missing password, registers nobody.
   * @param passwordOptional whether an account may be without a password; such a user logs in with tokens only
   * @throws AppError batch_too_large, batch_contradictory, username_*, nickname_too_long, password_*, overloaded
   */
  async register(app: App, accounts: readonly NewAccount[], passwordOptional: boolean): Promise<Registration> {
    if (accounts.length > batchMost)
      throw new AppError('batch_too_large', { count: accounts.length, limit: batchMost });
    const wanted = withoutRepeats(accounts.map((account) => checkAccount(account, passwordOptional)));
    const rows = await Promise.all(
      wanted.map(async ({ username, nickname, password }) => ({
        username,
        nickname,
        passwordHash: password === null ? null : await this.passwords.hash(password, app.id),
      })),
    );
    const results = await this.repository.insert(app.id, rows);
    return {
      registered: results.filter((user) => user !== null),
      taken: wanted.flatMap((account, index) => (results[index] === null ? account.written : [])),
    };
  }

  /** The user of this name in any case, or null. */
  async find(appId: string, username: string): Promise<User | null> {
    const key = usernameKey(username);
    return key === null ? null : this.repository.find(appId, key);
  }

  async findByUuid(appId: string, uuid: string): Promise<User | null> {
    return isUuid(uuid) ? this.repository.findByUuid(appId, uuid.toLowerCase()) : null;
  }

  /** The user that a caller means by a name or, where nobody has that name, by a uuid. @throws AppError user_not_found */
  async get(appId: string, nameOrUuid: string): Promise<User> {
    const user = (await this.find(appId, nameOrUuid)) ?? (await this.findByUuid(appId, nameOrUuid));
    return user ?? notFound();
  }

  /** The user of this name, registered without a password if there was none. @throws AppError username_* */
  async getOrRegister(app: App, username: string): Promise<User> {
    const known = await this.find(app.id, username);
    if (known !== null) return known;
    const { registered } = await this.register(app, [{ username }], true);
    // Nobody registered: somebody else was quicker, and that user is as good.
    return registered[0] ?? this.get(app.id, username);
  }

  /** Users in the order of their registration. @throws AppError cursor_invalid */
  async list(appId: string, limit: number, cursor: string | null): Promise<UserPage> {
    const users = await this.repository.listAfter(appId, afterIdOf(appId, cursor), limit + 1);
    const page = users.slice(0, limit);
    return { users: page, cursor: users.length > limit ? cursorAfter(appId, page) : null };
  }

  /** How many users the app has. */
  count(appId: string): Promise<number> {
    return this.repository.count(appId);
  }

  /** Deletes a user and what belongs to it. @returns the user as it was @throws AppError user_not_found */
  async delete(appId: string, nameOrUuid: string): Promise<User> {
    const { username } = await this.get(appId, nameOrUuid);
    const user = (await this.repository.delete(appId, username)) ?? notFound();
    this.events.publish({ type: 'deleted', user });
    return user;
  }

  /** Deletes the oldest `limit` users after the cursor. @returns them as they were @throws AppError cursor_invalid */
  async deleteOldest(appId: string, limit: number, cursor: string | null): Promise<UserPage> {
    const { deleted, more } = await this.repository.deleteAfter(appId, afterIdOf(appId, cursor), limit);
    for (const user of deleted) this.events.publish({ type: 'deleted', user });
    return { users: deleted, cursor: more ? cursorAfter(appId, deleted) : null };
  }

  /** Sets a new password and ends every token and session of the user. @throws AppError user_not_found, password_* */
  async changePassword(appId: string, nameOrUuid: string, password: string): Promise<User> {
    checkPassword(password);
    const { username } = await this.get(appId, nameOrUuid);
    const passwordHash = await this.passwords.hash(password, appId);
    return this.change(appId, username, 'password_changed', (user) => ({
      user: { passwordHash, tokenEpoch: this.nextEpoch(user) },
    }));
  }

  /** @throws AppError user_not_found, nickname_too_long */
  async changeNickname(appId: string, nameOrUuid: string, nickname: string): Promise<User> {
    checkNickname(nickname);
    const { username } = await this.get(appId, nameOrUuid);
    return this.change(appId, username, null, () => ({ user: { nickname } }));
  }

  /** Bans a user: no session stays, no token is good, no login until unbanned. Again: nothing changes. */
  async ban(appId: string, nameOrUuid: string, actor: string, reason: string | null): Promise<User> {
    const { username } = await this.get(appId, nameOrUuid);
    return this.change(appId, username, 'banned', (user) =>
      user.activated
        ? { user: { activated: false, tokenEpoch: this.nextEpoch(user) }, activation: { actor, reason } }
        : null,
    );
  }

  /** Lifts a ban. Tokens from before it stay ended. Again: nothing changes. @throws AppError user_not_found */
  async unban(appId: string, nameOrUuid: string, actor: string, reason: string | null): Promise<User> {
    const { username } = await this.get(appId, nameOrUuid);
    return this.change(appId, username, null, (user) =>
      user.activated ? null : { user: { activated: true }, activation: { actor, reason } },
    );
  }

  /** Ends every token and session of the user. @throws AppError user_not_found */
  async revokeTokens(appId: string, nameOrUuid: string): Promise<User> {
    const { username } = await this.get(appId, nameOrUuid);
    return this.change(appId, username, 'tokens_revoked', (user) => ({ user: { tokenEpoch: this.nextEpoch(user) } }));
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
    appId: string,
    username: string,
    told: UserEvent['type'] | null,
    change: UserChange,
  ): Promise<User> {
    const result: Changed = (await this.repository.change(appId, username, change)) ?? notFound();
    // Also when nothing changed: a repeated ban must close a session that slipped through the first.
    if (told !== null) this.events.publish({ type: told, user: result.user });
    return result.user;
  }

  /** Later than every token that exists, also when the clock was turned back or two revocations share a millisecond. */
  private nextEpoch(user: User): number {
    return Math.max(this.clock.now(), user.tokenEpoch + 1);
  }
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

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

function notFound(): never {
  throw new AppError('user_not_found');
}
