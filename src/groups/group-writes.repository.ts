import { Injectable } from '@nestjs/common';
import type { AuditEntry } from '../audit/audit-entry.js';
import { AuditTrail } from '../audit/audit-trail.service.js';
import { Clock } from '../clock/clock.js';
import { Database, type SqlValue, type Transaction } from '../database/database.js';
import { TimeOrderedIds } from '../ids/time-ordered-ids.js';
import { RemovalsService } from '../removals/removals.service.js';
import { targetOf } from '../users/user-audit.js';
import type { User } from '../users/user.js';
import { UsersService } from '../users/users.service.js';
import type { ChatGroupRow } from './chat-group.entity.js';
import { changeOf, creationOf, delistingOf, deletionOf, joiningOf, leavingOf, listingOf } from './group-audit.js';
import { type GroupList, wholeApp } from './group-list.js';
import { GroupListsRepository } from './group-lists.repository.js';
import type { Group, GroupKind, NewGroup } from './group.js';
import { groupColumns, type GroupRow, GroupsRepository, toGroup } from './groups.repository.js';

const memberColumns = ['app_id', 'group_id', 'user_uuid', 'kind', 'joined_at'];

/** The state that a change is based on, while the group and the users are locked. */
export interface Membership {
  readonly group: Group;
  /** The named users that exist. */
  readonly users: readonly User[];
  /** The uuids of the named users who are members. */
  readonly present: ReadonlySet<string>;
  /** By uuid: the lists of the group that each user is on. */
  readonly lists: ReadonlyMap<string, ReadonlySet<GroupList>>;
}

/** Columns of a group and their new values. */
export type GroupColumns = Partial<
  Pick<
    ChatGroupRow,
    | ('owner_uuid' | 'name' | 'description' | 'custom' | 'announcement')
    | ('is_public' | 'members_only' | 'allow_invites' | 'members_most')
  >
>;

/** Changes to a group whose row is locked, together with the users named by the caller. */
export interface GroupChanges {
  readonly membership: Membership;
  readonly set: (columns: GroupColumns) => Promise<void>;
  readonly addMembers: (users: readonly User[]) => Promise<void>;
  /** Also removes them from the admins. */
  readonly removeMembers: (users: readonly User[]) => Promise<void>;
  /** Puts users on a list; adding mutes also prunes some of the group's ended ones. */
  readonly put: (list: GroupList, users: readonly User[], expiresAt: number) => Promise<void>;
  readonly take: (lists: readonly GroupList[], users: readonly User[]) => Promise<void>;
  readonly count: (list: GroupList) => Promise<number>;
}

/** Creates, changes and deletes groups. Users are locked before groups, both in key order. */
@Injectable()
export class GroupWritesRepository {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly ids: TimeOrderedIds,
    private readonly users: UsersService,
    private readonly removals: RemovalsService,
    private readonly groups: GroupsRepository,
    private readonly lists: GroupListsRepository,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * Creates a group of the users that `choose` picks from those that exist, its owner first. None of them can be
   * deleted meanwhile.
   */
  async insert(
    appId: string,
    group: NewGroup,
    usernames: readonly string[],
    choose: (users: ReadonlyMap<string, User>) => readonly User[],
  ): Promise<Group> {
    return this.database.write(async (transaction) => {
      const held = await this.users.lockForUpdate(transaction, appId, usernames);
      const members = choose(new Map(held.map((user) => [user.username, user])));
      return this.insertWith(transaction, appId, group, members);
    }, appId);
  }

  /** Deletes the group; its data is unreachable at once. False when there is no such group. */
  delete(appId: string, kind: GroupKind, id: number): Promise<boolean> {
    return this.database.write(async (transaction) => {
      const group = await this.lock(transaction, appId, kind, id);
      if (group === null) return false;
      await transaction.run('DELETE FROM chat_groups WHERE app_id = ? AND id = ?', [appId, id]);
      await this.removals.begin(transaction, appId, 'group', [String(id)]);
      await this.audit.record(transaction, appId, [deletionOf(group)]);
      return true;
    }, appId);
  }

  /**
   * Runs `work` while the group and the users with these names are locked.
   * @returns its result, or null when there is no such group
   */
  change<Result>(
    appId: string,
    kind: GroupKind,
    id: number,
    usernames: readonly string[],
    work: (changes: GroupChanges) => Promise<Result>,
  ): Promise<Result | null> {
    return this.database.write(async (transaction) => {
      const users = await this.users.lockForUpdate(transaction, appId, usernames);
      const group = await this.lock(transaction, appId, kind, id);
      if (group === null) return null;
      const uuids = users.map(({ uuid }) => uuid);
      const present = await this.membersAmong(transaction, appId, id, uuids);
      const lists = await this.lists.listsOf(transaction, appId, id, uuids);
      return work(this.changesOf(transaction, appId, { group, users, present, lists }));
    }, appId);
  }

  /** As `change`, for an app-wide list and one user; null when no user has this name. */
  changeAppList<Result>(
    appId: string,
    username: string,
    list: GroupList,
    work: (user: User, isOn: boolean, changes: Pick<GroupChanges, 'put' | 'take' | 'count'>) => Promise<Result>,
  ): Promise<Result | null> {
    return this.database.write(async (transaction) => {
      const [user] = await this.users.lockForUpdate(transaction, appId, [username]);
      if (user === undefined) return null;
      const lists = await this.lists.listsOf(transaction, appId, wholeApp, [user.uuid]);
      const { put, take, count } = this.listChangesOf(transaction, appId, wholeApp);
      const note = (action: 'user.add_super_admin' | 'user.remove_super_admin') =>
        this.audit.record(transaction, appId, [{ action, ...targetOf(user) }]);
      return work(user, lists.get(user.uuid)?.has(list) === true, {
        count,
        put: (...added) => put(...added).then(() => note('user.add_super_admin')),
        take: (...taken) => take(...taken).then(() => note('user.remove_super_admin')),
      });
    }, appId);
  }

  private changesOf(transaction: Transaction, appId: string, membership: Membership): GroupChanges {
    const { group } = membership;
    const { id, kind } = group;
    const { put, take, count } = this.listChangesOf(transaction, appId, id);
    const note = (...entries: AuditEntry[]) => this.audit.record(transaction, appId, entries);
    return {
      ...{ membership, count },
      put: async (list, users, expiresAt) => {
        if (users.length === 0) return;
        await put(list, users, expiresAt);
        await note(listingOf(group, list, users, expiresAt));
      },
      take: async (lists, users) => {
        const listed = users.filter(({ uuid }) => lists.some((list) => membership.lists.get(uuid)?.has(list) === true));
        await take(lists, users);
        if (listed.length > 0) await note(delistingOf(group, lists, listed));
      },
      set: async (columns) => {
        const entry = changeOf(group, await this.columnsOf(transaction, appId, id, columns), columns);
        if (entry !== null) await note(entry);
        const [names, values] = [Object.keys(columns), Object.values(columns) as SqlValue[]];
        await transaction.run(
          `UPDATE chat_groups SET ${names.map((name) => `${name} = ?, `).join('')}modified_at = ?` +
            ' WHERE app_id = ? AND id = ?',
          [...values, this.clock.now(), appId, id],
        );
      },
      addMembers: async (users) => {
        if (users.length === 0) return;
        const now = this.clock.now();
        const rows = users.map(({ uuid }) => memberRow(appId, id, kind, uuid, now));
        await transaction.insert('group_members', memberColumns, rows);
        await this.count(transaction, appId, id, users.length);
        await note(joiningOf(group, users));
      },
      removeMembers: async (users) => {
        if (users.length === 0) return;
        const uuids = users.map(({ uuid }) => uuid).sort();
        const among = this.database.dialect.among('user_uuid', uuids);
        await transaction.run(`DELETE FROM group_members WHERE app_id = ? AND group_id = ? AND ${among.sql}`, [
          appId,
          id,
          ...among.values,
        ]);
        await this.lists.take(transaction, appId, id, ['admin'], uuids);
        await this.count(transaction, appId, id, -users.length);
        await note(leavingOf(group, users));
      },
    };
  }

  private listChangesOf(
    transaction: Transaction,
    appId: string,
    groupId: number,
  ): Pick<GroupChanges, 'put' | 'take' | 'count'> {
    const uuidsOf = (users: readonly User[]): string[] => users.map(({ uuid }) => uuid);
    return {
      put: async (list, users, expiresAt) => {
        if (list === 'mute') await this.lists.pruneEnded(transaction, appId, groupId);
        await this.lists.put(transaction, appId, groupId, list, uuidsOf(users), expiresAt);
      },
      take: (lists, users) => this.lists.take(transaction, appId, groupId, lists, uuidsOf(users)),
      count: (list) => this.lists.count(transaction, appId, groupId, list),
    };
  }

  /** What these columns of a locked group are. */
  private async columnsOf(transaction: Transaction, appId: string, groupId: number, columns: GroupColumns) {
    const names = Object.keys(columns);
    if (names.length === 0) return {};
    const [row = {}] = await transaction.read<Partial<ChatGroupRow>>(
      `SELECT ${names.join(', ')} FROM chat_groups WHERE app_id = ? AND id = ?`,
      [appId, groupId],
    );
    return row;
  }

  private async membersAmong(
    transaction: Transaction,
    appId: string,
    groupId: number,
    userUuids: readonly string[],
  ): Promise<ReadonlySet<string>> {
    if (userUuids.length === 0) return new Set();
    const among = this.database.dialect.among('user_uuid', userUuids);
    const present = await transaction.read<{ user_uuid: string }>(
      `SELECT user_uuid FROM group_members WHERE app_id = ? AND group_id = ? AND ${among.sql}`,
      [appId, groupId, ...among.values],
    );
    return new Set(present.map((row) => row.user_uuid));
  }

  private async count(transaction: Transaction, appId: string, groupId: number, difference: number): Promise<void> {
    await transaction.run('UPDATE chat_groups SET members = members + ?, modified_at = ? WHERE app_id = ? AND id = ?', [
      ...[difference, this.clock.now(), appId, groupId],
    ]);
  }

  private async insertWith(
    transaction: Transaction,
    appId: string,
    group: NewGroup,
    members: readonly User[],
  ): Promise<Group> {
    const now = this.clock.now();
    const id = this.ids.next();
    const row: GroupRow = {
      app_id: appId,
      id,
      kind: group.kind,
      owner_uuid: (members[0] as User).uuid,
      name: group.name,
      description: group.description,
      custom: group.custom,
      is_public: group.isPublic ? 1 : 0,
      members_only: group.membersOnly ? 1 : 0,
      allow_invites: group.allowInvites ? 1 : 0,
      members_most: group.maxMembers,
      members: members.length,
      created_at: now,
      modified_at: now,
    };
    await transaction.insert('chat_groups', groupColumns, [{ ...row }]);
    const rows = members.map(({ uuid }) => memberRow(appId, id, group.kind, uuid, now));
    await transaction.insert('group_members', memberColumns, rows);
    await this.audit.record(transaction, appId, [creationOf(id, group, members)]);
    return toGroup(row);
  }

  /** The group, unless its owner is gone: the remains of such a group are about to be removed. */
  private async lock(transaction: Transaction, appId: string, kind: GroupKind, id: number): Promise<Group | null> {
    const { forUpdate, forceIndex } = this.database.dialect;
    const [row] = await transaction.read<GroupRow>(
      `SELECT ${groupColumns.join(', ')} FROM chat_groups WHERE app_id = ? AND id = ? AND kind = ?${forUpdate}`,
      [appId, id, kind],
    );
    if (row === undefined) return null;
    // The owner is not locked: users are locked before groups.
    const owners = await transaction.read(
      `SELECT uuid FROM users${forceIndex('users_by_uuid')} WHERE app_id = ? AND uuid = ?`,
      [appId, row.owner_uuid],
    );
    if (owners.length === 0) return null;
    const [group] = await this.groups.withoutLeavers(transaction, appId, [toGroup(row)]);
    return group ?? null;
  }
}

function memberRow(appId: string, groupId: number, kind: GroupKind, userUuid: string, now: number) {
  return { app_id: appId, group_id: groupId, user_uuid: userUuid, kind, joined_at: now };
}
