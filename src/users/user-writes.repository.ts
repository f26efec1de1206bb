import { Injectable } from '@nestjs/common';
import { type AuditedChange, AuditTrail } from '../audit/audit-trail.service.js';
import { currentOperation, type Operation, runInOperation } from '../audit/operation.js';
import { Clock } from '../clock/clock.js';
import { Database, type Transaction } from '../database/database.js';
import { Gatherer } from '../database/gatherer.js';
import { TimeBasedUuids } from '../ids/time-based-uuids.js';
import { TimeOrderedIds } from '../ids/time-ordered-ids.js';
import { RemovalsService } from '../removals/removals.service.js';
import { BanHistoryRepository, reasonOf, type RecordedBanChange } from './ban-history.repository.js';
import { banStateAt } from './ban-state.js';
import { ReleasedNamesRepository } from './released-names.repository.js';
import type { User } from './user.js';
import { deletionOf, entryOf, registrationOf } from './user-audit.js';
import type { Changed, NewUser, UserChange, UserChangeResult, UserIdentity } from './user-change.js';
import { UserChangesService } from './user-changes.service.js';
import { UserCountsRepository } from './user-counts.repository.js';
import { UserEvents } from './user-events.js';
import { storedColumns, toUserRow } from './user-row.js';
import type { UserStep } from './user-step.js';
import { UsersRepository } from './users.repository.js';

interface InsertCall {
  readonly operation: Operation | undefined;
  readonly users: readonly NewUser[];
  readonly alsoWrite: UserStep | undefined;
}

interface ChangeCall {
  readonly operation: Operation | undefined;
  readonly user: UserIdentity;
  readonly change: UserChange;
  readonly alsoWrite: UserStep | undefined;
}

const changeable = [
  'nickname',
  'activated',
  'modified_at',
  'password_hash',
  'token_epoch',
  'push_settings',
  'ban_starts_at',
  'ban_ends_at',
];
/** A transaction with more rows would block others for too long. */
const rowsPerRun = 500;

/** Inserts, changes and deletes users. Every statement touches one app. */
@Injectable()
export class UserWritesRepository {
  private readonly inserts: Gatherer<InsertCall, readonly (User | null)[]>;
  private readonly changes: Gatherer<ChangeCall, Changed | null>;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly ids: TimeOrderedIds,
    private readonly uuids: TimeBasedUuids,
    private readonly users: UsersRepository,
    private readonly bans: BanHistoryRepository,
    private readonly events: UserEvents,
    private readonly counts: UserCountsRepository,
    private readonly userChanges: UserChangesService,
    private readonly releasedNames: ReleasedNamesRepository,
    private readonly removals: RemovalsService,
    private readonly audit: AuditTrail,
  ) {
    // MySQL works on one run while the next is prepared; SQLite has one writer.
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

  /**
   * Inserts the users whose names are free; null for each that is taken. Each call is one transaction, including what
   * `alsoWrite` writes for each new user.
   */
  insert(appId: string, users: readonly NewUser[], alsoWrite?: UserStep): Promise<readonly (User | null)[]> {
    return this.inserts.add(appId, { users, alsoWrite, operation: currentOperation() });
  }

  /** Changes one user under lock, together with what `alsoWrite` writes; null if there is none. */
  change(appId: string, user: UserIdentity, change: UserChange, alsoWrite?: UserStep): Promise<Changed | null> {
    return this.changes.add(appId, { user, change, alsoWrite, operation: currentOperation() });
  }

  /**
   * Changes these users in one transaction; null for each that is gone.
   * @param operations that of each user in the audit trail; by default all are of the current one
   */
  changeEach(
    appId: string,
    users: readonly UserIdentity[],
    change: UserChange,
    operations?: readonly Operation[],
  ): Promise<readonly (Changed | null)[]> {
    const current = currentOperation();
    return this.changes.addAll(
      appId,
      users.map((user, index) => ({
        ...{ user, change, alsoWrite: undefined },
        operation: operations === undefined ? current : operations[index],
      })),
    );
  }

  /** Deletes the user and returns its last state; null if there is none. What belonged to it is unreachable at once. */
  delete(appId: string, { username, uuid }: UserIdentity): Promise<User | null> {
    return this.database.write(async (transaction) => {
      const users = (await this.users.lockForUpdate(transaction, appId, [username])).filter(
        (user) => user.uuid === uuid,
      );
      await this.deleteAll(transaction, appId, users);
      return users[0] ?? null;
    }, appId);
  }

  /**
   * Deletes up to `limit` users after the one with the id `afterId`, oldest first. `lastId` is where the next
   * call continues, not always a deleted user, since another call may have deleted them first; null: none remain.
   * @param check given them all before anything is deleted; if it throws, nobody is
   */
  deleteAfter(
    appId: string,
    afterId: number,
    limit: number,
    check: (users: readonly User[]) => void = () => undefined,
  ): Promise<{ deleted: User[]; lastId: number | null }> {
    const { forceIndex } = this.database.dialect;
    return this.database.write(async (transaction) => {
      const found = await transaction.read<{ username: string; id: number }>(
        `SELECT username, id FROM users${forceIndex('users_by_id')} WHERE app_id = ? AND id > ? ORDER BY id LIMIT ?`,
        [appId, afterId, limit + 1],
      );
      const page = found.slice(0, limit);
      const deleted = await this.users.lockForUpdate(
        transaction,
        appId,
        page.map((row) => row.username),
      );
      check(deleted);
      await this.deleteAll(transaction, appId, deleted);
      const lastId = found.length > limit ? (page.at(-1)?.id ?? null) : null;
      return { deleted: deleted.sort((one, other) => one.id - other.id), lastId };
    }, appId);
  }

  /** Records whether a user, whose row the transaction has locked, has blocked others. */
  async noteBlocks(transaction: Transaction, appId: string, username: string, hasBlocks: boolean): Promise<void> {
    await transaction.run('UPDATE users SET has_blocks = ? WHERE app_id = ? AND username = ?', [
      hasBlocks ? 1 : 0,
      appId,
      username,
    ]);
  }

  private async insertAll(
    transaction: Transaction,
    appId: string,
    calls: readonly InsertCall[],
  ): Promise<(readonly (User | null)[])[]> {
    const wanted = calls.flatMap((call) => call.users);
    const results = await this.insertUsers(transaction, appId, wanted);
    await this.counts.add(transaction, appId, results.filter((user) => user !== null).length);
    let start = 0;
    const answers = calls.map((call) => results.slice(start, (start += call.users.length)));
    await this.audit.recordEach(
      transaction,
      appId,
      calls.flatMap(({ operation }, index) => {
        const entry = registrationOf(answers[index] ?? []);
        return entry === null ? [] : { operation, entry };
      }),
    );
    for (const [index, { alsoWrite, operation }] of calls.entries())
      if (alsoWrite !== undefined)
        for (const user of answers[index] ?? [])
          if (user !== null) await runInOperation(operation, () => alsoWrite(transaction, user));
    return answers;
  }

  private async insertUsers(
    transaction: Transaction,
    appId: string,
    wanted: readonly NewUser[],
  ): Promise<(User | null)[]> {
    const users = wanted.map((user) => this.newUser(appId, user));
    // Ids and uuids are unique, so a missing user was refused for its name.
    const inserted = await transaction.insertNew('users', storedColumns, users.map(toUserRow), 'uuid');
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
      ban: null,
      createdAt: now,
      modifiedAt: now,
      tokenEpoch: 0,
      hasBlocks: false,
      pushSettings: null,
    };
  }

  private async changeAll(
    transaction: Transaction,
    appId: string,
    calls: readonly ChangeCall[],
  ): Promise<(Changed | null)[]> {
    const users = new Map<string, User>();
    for (const user of await this.users.lockForUpdate(transaction, appId, [
      ...new Set(calls.map(({ user }) => user.username)),
    ]))
      users.set(user.username, user);
    const now = this.clock.now();
    const touched = new Set<string>();
    const ended = new Map<string, null>();
    // SQLite would rewrite the index by nickname for every ban.
    let renamed = false;
    const banChanges: RecordedBanChange[] = [];
    const audited: AuditedChange[] = [];
    const results = calls.map(({ user: { username, uuid }, change, operation }): Changed | null => {
      const before = users.get(username);
      if (before?.uuid !== uuid) return null;
      const result = change(before);
      if (result === null) return { user: before, changed: false };
      const changed = { ...before, ...result.user, modifiedAt: changesAccount(result) ? now : before.modifiedAt };
      const user = { ...changed, activated: banStateAt(changed.ban, now) !== 'active' };
      users.set(username, user);
      touched.add(username);
      const entry = entryOf(before, user, result.action, reasonOf(result.banChange));
      renamed ||= user.nickname !== before.nickname;
      if (entry !== null) audited.push({ operation, entry });
      const { banChange } = result;
      if (banChange !== undefined) banChanges.push({ user, before: before.ban, after: user.ban, change: banChange });
      if (banChange !== undefined || user.tokenEpoch !== before.tokenEpoch) ended.set(user.uuid, null);
      return { user, changed: true };
    });
    // In key order, so that two nodes never lock the same rows in opposite orders.
    const rows = [...touched].sort().map((username) => toUserRow(users.get(username) as User));
    const columns = renamed ? [...changeable, 'nickname_key'] : changeable;
    if (rows.length > 0) await transaction.updateRows('users', ['app_id', 'username'], columns, rows);
    await this.bans.record(transaction, appId, banChanges, now);
    await this.userChanges.add(transaction, appId, ended);
    await this.audit.recordEach(transaction, appId, audited);
    for (const [index, { alsoWrite, operation }] of calls.entries()) {
      const result = results[index];
      if (alsoWrite !== undefined && result != null)
        await runInOperation(operation, () => alsoWrite(transaction, result.user));
    }
    return results;
  }

  private async deleteAll(transaction: Transaction, appId: string, users: readonly User[]): Promise<void> {
    if (users.length === 0) return;
    await this.events.runDeletionSteps(transaction, appId, users);
    const usernames = users.map((user) => user.username);
    const names = this.database.dialect.among('username', usernames);
    await transaction.run(`DELETE FROM users WHERE app_id = ? AND ${names.sql}`, [appId, ...names.values]);
    await this.counts.add(transaction, appId, -users.length);
    await this.releasedNames.add(transaction, appId, usernames);
    const uuids = users.map(({ uuid }) => uuid);
    await this.userChanges.add(transaction, appId, new Map(uuids.map((uuid) => [uuid, null])));
    await this.removals.begin(transaction, appId, 'user', uuids);
    await this.audit.record(transaction, appId, users.map(deletionOf));
  }
}

/** A revocation or a forced logout ends tokens but does not modify the account; nor does time. */
function changesAccount({ user, banChange }: UserChangeResult): boolean {
  return banChange?.kind !== 'settle' && Object.keys(user).some((member) => member !== 'tokenEpoch');
}
