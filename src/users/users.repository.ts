import { randomInt } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { Database, type SqlRow, type Transaction } from '../database/database.js';
import { Gatherer } from '../database/gatherer.js';
import { TimeBasedUuids } from '../ids/time-based-uuids.js';
import { TimeOrderedIds } from '../ids/time-ordered-ids.js';
import { ReleasedNamesRepository } from './released-names.repository.js';
import { RemovalsService } from '../removals/removals.service.js';
import type { User } from './user.js';
import type { UserRow } from './user.entity.js';
import { UserChangesService } from './user-changes.service.js';
import { UserEvents } from './user-events.js';
import type { UserStep } from './user-step.js';

export interface NewUser {
  readonly username: string;
  readonly nickname: string | null;
  readonly passwordHash: string | null;
}

interface InsertCall {
  readonly users: readonly NewUser[];
  readonly together: UserStep | undefined;
}

interface ChangeCall {
  readonly user: UserIdentity;
  readonly change: UserChange;
  readonly together: UserStep | undefined;
}

/** The uuid too, as a name may have become somebody else's since it was looked up. */
export type UserIdentity = Pick<User, 'username' | 'uuid'>;

/** What may change of a user, decided while the row is locked. */
export type UserChange = (user: User) => UserChangeResult | null;

export interface UserChangeResult {
  readonly user: Partial<Pick<User, 'nickname' | 'activated' | 'passwordHash' | 'tokenEpoch'>>;
  /** A line of the activation history. */
  readonly activation?: { readonly actor: string; readonly reason: string | null };
}

export interface Changed {
  readonly user: User;
  /** False when the change had nothing to do. */
  readonly changed: boolean;
}

const columns = [
  'app_id',
  'username',
  'uuid',
  'id',
  'nickname',
  'activated',
  'created_at',
  'modified_at',
  'password_hash',
  'token_epoch',
] as const;
const changeable = ['nickname', 'activated', 'modified_at', 'password_hash', 'token_epoch'];
const selectUsers = `SELECT ${columns.join(', ')} FROM users`;
/** A transaction of more rows would hold up others for too long. */
const rowsPerRun = 500;
const countSlots = 16;

type ActivationLine = SqlRow & { readonly user_uuid: string; readonly id: number };

/** Questions about users and changes of them. Every statement is about one app. */
@Injectable()
export class UsersRepository {
  private readonly byUsername = this.reader('username');
  private readonly byUuid = this.reader('uuid');
  private readonly inserts: Gatherer<InsertCall, readonly (User | null)[]>;
  private readonly changes: Gatherer<ChangeCall, Changed | null>;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly ids: TimeOrderedIds,
    private readonly uuids: TimeBasedUuids,
    private readonly events: UserEvents,
    private readonly userChanges: UserChangesService,
    private readonly releasedNames: ReleasedNamesRepository,
    private readonly removals: RemovalsService,
  ) {
    removals.register('user', ({ transaction, appId, subjects, maxRows }) =>
      this.deleteHistory(transaction, appId, subjects, maxRows),
    );
    // While MySQL works on one run, the next is made ready; SQLite has one writer.
    const runs = database.engine === 'mysql' ? 2 : 1;
    this.inserts = new Gatherer(
      (appId, calls) => this.database.write((transaction) => this.insertAll(transaction, appId, calls), appId),
      { rows: rowsPerRun, runs },
      (call) => call.users.length,
    );
    this.changes = new Gatherer(
      (appId, calls) => this.database.write((transaction) => this.changeAll(transaction, appId, calls), appId),
      { rows: rowsPerRun, runs: 1 },
    );
  }

  find(appId: string, username: string): Promise<User | null> {
    return this.byUsername.add(appId, username);
  }

  findByUuid(appId: string, uuid: string): Promise<User | null> {
    return this.byUuid.add(appId, uuid);
  }

  /** Apart from the gathered look-ups, so that a sweep over many users holds nobody up. */
  async findAllByUuid(appId: string, uuids: readonly string[]): Promise<ReadonlyMap<string, User>> {
    if (uuids.length === 0) return new Map();
    const among = this.database.dialect.among('uuid', uuids);
    const rows = await this.database.read<UserRow>(
      `${this.selectBy('uuid')} WHERE app_id = ? AND ${among.sql}`,
      [appId, ...among.values],
      appId,
    );
    return new Map(rows.map((row) => [row.uuid, toUser(row)]));
  }

  /** Up to `limit` users in the order of their registration, after the one with the id `afterId`. */
  async listAfter(appId: string, afterId: number, limit: number): Promise<User[]> {
    // Left alone, MariaDB walks the whole app instead of this index.
    const from = `${selectUsers}${this.database.dialect.forceIndex('users_by_id')}`;
    const rows = await this.database.read<UserRow>(
      `${from} WHERE app_id = ? AND id > ? ORDER BY id LIMIT ?`,
      [appId, afterId, limit],
      appId,
    );
    return rows.map(toUser);
  }

  async count(appId: string): Promise<number> {
    const [row] = await this.database.read<{ users: number | string | null }>(
      'SELECT SUM(users) AS users FROM user_counts WHERE app_id = ?',
      [appId],
      appId,
    );
    return Number(row?.users ?? 0);
  }

  /** The users of these names, which stay as they are until the transaction ends. */
  lockForUpdate(transaction: Transaction, appId: string, usernames: readonly string[]): Promise<User[]> {
    return this.select(transaction, appId, [...usernames].sort(), this.database.dialect.forUpdate);
  }

  /** The users of these folded names, in their order; who is not there is left out. */
  async findAll(appId: string, usernames: readonly string[]): Promise<User[]> {
    const users: User[] = [];
    for (let start = 0; start < usernames.length; start += rowsPerRun) {
      const some = await this.byUsername.addAll(appId, usernames.slice(start, start + rowsPerRun));
      users.push(...some.filter((user) => user !== null));
    }
    return users;
  }

  /**
   * Inserts the users whose names are free; null for each that is taken. All of one call are in one transaction, with
   * what `together` writes for each new user.
   */
  insert(appId: string, users: readonly NewUser[], together?: UserStep): Promise<readonly (User | null)[]> {
    return this.inserts.add(appId, { users, together });
  }

  /** Changes one user under its lock, with what `together` writes; null when there is none. */
  change(appId: string, user: UserIdentity, change: UserChange, together?: UserStep): Promise<Changed | null> {
    return this.changes.add(appId, { user, change, together });
  }

  /** Changes these users in one transaction; null for each that is gone. */
  changeEach(appId: string, users: readonly UserIdentity[], change: UserChange): Promise<readonly (Changed | null)[]> {
    return this.changes.addAll(
      appId,
      users.map((user) => ({ user, change, together: undefined })),
    );
  }

  /** Deletes the user, and answers it as it was; null when there is none. What belonged to it is out of reach at once. */
  delete(appId: string, { username, uuid }: UserIdentity): Promise<User | null> {
    return this.database.write(async (transaction) => {
      const users = (await this.lockForUpdate(transaction, appId, [username])).filter((user) => user.uuid === uuid);
      await this.deleteAll(transaction, appId, users);
      return users[0] ?? null;
    }, appId);
  }

  /**
   * Deletes up to `limit` users after the one with the id `afterId`, oldest first. `lastId` is where the next call goes
   * on: not always a deleted user, since somebody else may have been quicker with all of them; null: none remain.
   */
  deleteAfter(appId: string, afterId: number, limit: number): Promise<{ deleted: User[]; lastId: number | null }> {
    const { forceIndex } = this.database.dialect;
    return this.database.write(async (transaction) => {
      const found = await transaction.read<{ username: string; id: number }>(
        `SELECT username, id FROM users${forceIndex('users_by_id')} WHERE app_id = ? AND id > ? ORDER BY id LIMIT ?`,
        [appId, afterId, limit + 1],
      );
      const page = found.slice(0, limit);
      const deleted = await this.lockForUpdate(
        transaction,
        appId,
        page.map((row) => row.username),
      );
      await this.deleteAll(transaction, appId, deleted);
      const lastId = found.length > limit ? (page.at(-1)?.id ?? null) : null;
      return { deleted: deleted.sort((one, other) => one.id - other.id), lastId };
    }, appId);
  }

  private reader(column: 'username' | 'uuid'): Gatherer<string, User | null> {
    return new Gatherer(
      async (appId, keys) => {
        const among = this.database.dialect.among(column, keys);
        const rows = await this.database.read<UserRow>(
          `${this.selectBy(column)} WHERE app_id = ? AND ${among.sql}`,
          [appId, ...among.values],
          appId,
        );
        const users = new Map(rows.map((row) => [row[column], toUser(row)]));
        return keys.map((key) => users.get(key) ?? null);
      },
      { rows: rowsPerRun, runs: 2 },
    );
  }

  /** Left alone, SQLite takes the app, the first column of the primary key, for better than the index by uuid. */
  private selectBy(column: 'username' | 'uuid'): string {
    return column === 'uuid' ? `${selectUsers}${this.database.dialect.forceIndex('users_by_uuid')}` : selectUsers;
  }

  private async insertAll(
    transaction: Transaction,
    appId: string,
    calls: readonly InsertCall[],
  ): Promise<(readonly (User | null)[])[]> {
    const wanted = calls.flatMap((call) => call.users);
    const results = await this.insertUsers(transaction, appId, wanted);
    await this.addToCount(transaction, appId, results.filter((user) => user !== null).length);
    let start = 0;
    const answers = calls.map((call) => results.slice(start, (start += call.users.length)));
    for (const [index, { together }] of calls.entries())
      if (together !== undefined)
        for (const user of answers[index] ?? []) if (user !== null) await together(transaction, user);
    return answers;
  }

  private async insertUsers(
    transaction: Transaction,
    appId: string,
    wanted: readonly NewUser[],
  ): Promise<(User | null)[]> {
    const users = wanted.map((user) => this.newUser(appId, user));
    // Nobody else draws their ids and uuids, so whoever is not in was refused for the name.
    const inserted = await transaction.insertNew('users', columns, users.map(toRow), 'uuid');
    return users.map((user, index) => (inserted[index] === true ? user : null));
  }

  private newUser(appId: string, user: NewUser): User {
    const now = this.clock.now();
    return {
      ...user,
      appId,
      uuid: this.uuids.next(),
      id: this.ids.next(),
      activated: true,
      createdAt: now,
      modifiedAt: now,
      tokenEpoch: 0,
    };
  }

  private async changeAll(
    transaction: Transaction,
    appId: string,
    calls: readonly ChangeCall[],
  ): Promise<(Changed | null)[]> {
    const users = new Map<string, User>();
    for (const user of await this.lockForUpdate(transaction, appId, [
      ...new Set(calls.map(({ user }) => user.username)),
    ]))
      users.set(user.username, user);
    const now = this.clock.now();
    const touched = new Set<string>();
    const ended = new Map<string, null>();
    const history: ActivationLine[] = [];
    const results = calls.map(({ user: { username, uuid }, change }): Changed | null => {
      const before = users.get(username);
      if (before?.uuid !== uuid) return null;
      const result = change(before);
      if (result === null) return { user: before, changed: false };
      const user = { ...before, ...result.user, modifiedAt: isOfTokensAlone(result) ? before.modifiedAt : now };
      users.set(username, user);
      touched.add(username);
      if (user.activated !== before.activated || user.tokenEpoch !== before.tokenEpoch) ended.set(user.uuid, null);
      if (result.activation !== undefined)
        history.push({
          app_id: appId,
          user_uuid: user.uuid,
          id: this.ids.next(),
          activated: user.activated ? 1 : 0,
          at: now,
          ...result.activation,
        });
      return { user, changed: true };
    });
    // By key, so that two nodes never lock the same rows in opposite orders.
    const rows = [...touched].sort().map((username) => toRow(users.get(username) as User));
    if (rows.length > 0) await transaction.updateRows('users', ['app_id', 'username'], changeable, rows);
    if (history.length > 0) await this.addToHistory(transaction, appId, history);
    await this.userChanges.add(transaction, appId, ended);
    for (const [index, { together }] of calls.entries()) {
      const result = results[index];
      if (together !== undefined && result != null) await together(transaction, result.user);
    }
    return results;
  }

  /** A node whose clock is ahead may have drawn a later id: a user's lines stand in the order in which they were true. */
  private async addToHistory(transaction: Transaction, appId: string, lines: readonly ActivationLine[]): Promise<void> {
    const among = this.database.dialect.among('user_uuid', [...new Set(lines.map((line) => line.user_uuid))]);
    const newest = await transaction.read<{ user_uuid: string; id: number }>(
      `SELECT user_uuid, MAX(id) AS id FROM user_activations WHERE app_id = ? AND ${among.sql} GROUP BY user_uuid`,
      [appId, ...among.values],
    );
    const lastIds = new Map(newest.map((row) => [row.user_uuid, row.id]));
    const rows = lines.map((line) => {
      const id = Math.max(line.id, (lastIds.get(line.user_uuid) ?? 0) + 1);
      lastIds.set(line.user_uuid, id);
      return { ...line, id };
    });
    await transaction.insert('user_activations', Object.keys(rows[0] as ActivationLine), rows);
  }

  private async deleteAll(transaction: Transaction, appId: string, users: readonly User[]): Promise<void> {
    if (users.length === 0) return;
    await this.events.runDeletionSteps(transaction, appId, users);
    const usernames = users.map((user) => user.username);
    const names = this.database.dialect.among('username', usernames);
    await transaction.run(`DELETE FROM users WHERE app_id = ? AND ${names.sql}`, [appId, ...names.values]);
    await this.addToCount(transaction, appId, -users.length);
    await this.releasedNames.add(transaction, appId, usernames);
    const uuids = users.map(({ uuid }) => uuid);
    await this.userChanges.add(transaction, appId, new Map(uuids.map((uuid) => [uuid, null])));
    await this.removals.begin(transaction, appId, 'user', uuids);
  }

  /** Deletes up to `maxRows` lines of what these users' history has, and answers how many that were. */
  private async deleteHistory(
    transaction: Transaction,
    appId: string,
    uuids: readonly string[],
    maxRows: number,
  ): Promise<number> {
    const among = this.database.dialect.among('user_uuid', uuids);
    const lines = await transaction.read<{ user_uuid: string; id: number }>(
      `SELECT user_uuid, id FROM user_activations WHERE app_id = ? AND ${among.sql} ORDER BY user_uuid, id LIMIT ?`,
      [appId, ...among.values, maxRows],
    );
    for (const [uuid, lastId] of new Map(lines.map((line) => [line.user_uuid, line.id])))
      await transaction.run('DELETE FROM user_activations WHERE app_id = ? AND user_uuid = ? AND id <= ?', [
        appId,
        uuid,
        lastId,
      ]);
    return lines.length;
  }

  private async select(
    transaction: Transaction,
    appId: string,
    usernames: readonly string[],
    ending = '',
  ): Promise<User[]> {
    if (usernames.length === 0) return [];
    const among = this.database.dialect.among('username', usernames);
    const rows = await transaction.read<UserRow>(`${selectUsers} WHERE app_id = ? AND ${among.sql}${ending}`, [
      appId,
      ...among.values,
    ]);
    return rows.map(toUser);
  }

  private async addToCount(transaction: Transaction, appId: string, users: number): Promise<void> {
    if (users === 0) return;
    const slot = this.database.engine === 'sqlite' ? 0 : randomInt(countSlots);
    const ending = this.database.dialect.addToExisting('app_id, slot', 'users');
    await transaction.run(`INSERT INTO user_counts (app_id, slot, users) VALUES (?, ?, ?)${ending}`, [
      appId,
      slot,
      users,
    ]);
  }
}

/** A revocation or a forced logout ends tokens, and changes nothing of the account. */
function isOfTokensAlone({ user }: UserChangeResult): boolean {
  return Object.keys(user).every((member) => member === 'tokenEpoch');
}

function toUser(row: UserRow): User {
  return {
    appId: row.app_id,
    username: row.username,
    uuid: row.uuid,
    id: row.id,
    nickname: row.nickname,
    activated: row.activated !== 0,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
    passwordHash: row.password_hash,
    tokenEpoch: row.token_epoch,
  };
}

function toRow(user: User): SqlRow {
  return {
    app_id: user.appId,
    username: user.username,
    uuid: user.uuid,
    id: user.id,
    nickname: user.nickname,
    activated: user.activated ? 1 : 0,
    created_at: user.createdAt,
    modified_at: user.modifiedAt,
    password_hash: user.passwordHash,
    token_epoch: user.tokenEpoch,
  };
}
