import { Injectable } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { breathe } from '../database/costly-reads.js';
import { Database, type Transaction } from '../database/database.js';
import { TimeOrderedIds } from '../ids/time-ordered-ids.js';
import type { User } from '../users/user.js';
import { UsersService } from '../users/users.service.js';
import type { ChatGroupRow } from './chat-group.entity.js';
import type { Group, GroupKind, NewGroup } from './group.js';

const groupColumns = [
  ...['app_id', 'id', 'kind', 'owner_uuid', 'name', 'description', 'custom', 'is_public', 'members_only'],
  ...['allow_invites', 'members_most', 'members', 'created_at', 'modified_at'],
];
const memberColumns = ['app_id', 'group_id', 'user_uuid', 'kind', 'joined_at'];
const selectGroups = `SELECT ${groupColumns.join(', ')} FROM chat_groups`;
const rowsMost = 1000;

/** What a change of members is decided by, while the group and the users are locked. */
export interface Membership {
  readonly group: Group;
  /** Those of the named users who exist. */
  readonly users: readonly User[];
  /** The uuids of those who are members. */
  readonly present: ReadonlySet<string>;
}

/** Questions about groups and changes of them. Users are locked before groups, and both in the order of their keys. */
@Injectable()
export class GroupsRepository {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly ids: TimeOrderedIds,
    private readonly users: UsersService,
  ) {}

  /**
   * Makes a group of the users that `choose` picks from those who exist, its owner first. Nobody of them can be deleted
   * meanwhile.
   */
  async insert(
    appId: string,
    group: NewGroup,
    usernames: readonly string[],
    choose: (users: ReadonlyMap<string, User>) => readonly User[],
  ): Promise<Group> {
    return this.database.write(async (transaction) => {
      const held = await this.users.hold(transaction, appId, usernames);
      const members = choose(new Map(held.map((user) => [user.username, user])));
      return this.insertWith(transaction, appId, group, members);
    }, appId);
  }

  async find(appId: string, kind: GroupKind, id: number): Promise<Group | null> {
    const [row] = await this.database.read<ChatGroupRow>(
      `${selectGroups} WHERE app_id = ? AND id = ? AND kind = ?`,
      [appId, id, kind],
      appId,
    );
    return row === undefined ? null : toGroup(row);
  }

  /** Up to `limit` groups of a kind after the one with the id `afterId`, oldest first. */
  async listAfter(appId: string, kind: GroupKind, afterId: number, limit: number): Promise<Group[]> {
    const rows = await this.database.read<ChatGroupRow>(
      `${selectGroups} WHERE app_id = ? AND id > ? AND kind = ? ORDER BY id LIMIT ?`,
      [appId, afterId, kind, limit],
      appId,
    );
    return rows.map(toGroup);
  }

  /** The uuids of all members, by uuid. */
  async listMembers(appId: string, groupId: number): Promise<string[]> {
    const found: string[] = [];
    for (let after = ''; ;) {
      const rows = await this.database.read<{ user_uuid: string }>(
        'SELECT user_uuid FROM group_members WHERE app_id = ? AND group_id = ? AND user_uuid > ?' +
          ' ORDER BY user_uuid LIMIT ?',
        [appId, groupId, after, rowsMost],
        appId,
      );
      found.push(...rows.map((row) => row.user_uuid));
      if (rows.length < rowsMost) return found;
      after = found.at(-1) as string;
      await breathe();
    }
  }

  /** The groups of a kind that the user is a member of, oldest first, 1,000 at most. */
  async listJoined(appId: string, kind: GroupKind, userUuid: string): Promise<Group[]> {
    const rows = await this.database.read<{ group_id: number }>(
      'SELECT group_id FROM group_members WHERE app_id = ? AND user_uuid = ? AND kind = ? ORDER BY group_id LIMIT ?',
      [appId, userUuid, kind, rowsMost],
      appId,
    );
    if (rows.length === 0) return [];
    const among = this.database.dialect.among(
      'id',
      rows.map((row) => row.group_id),
    );
    const groups = await this.database.read<ChatGroupRow>(
      `${selectGroups} WHERE app_id = ? AND ${among.sql} ORDER BY id`,
      [appId, ...among.values],
      appId,
    );
    return groups.map(toGroup);
  }

  /** Deletes the group with its memberships; false when there is none. */
  delete(appId: string, kind: GroupKind, id: number): Promise<boolean> {
    return this.database.write(async (transaction) => {
      const group = await this.lock(transaction, appId, kind, id);
      if (group === null) return false;
      await this.deleteGroups(transaction, appId, [id]);
      return true;
    }, appId);
  }

  /**
   * Adds members under lock: those that `choose` answers.
   * @returns them, or null when there is no such group
   */
  addMembers(
    appId: string,
    kind: GroupKind,
    id: number,
    usernames: readonly string[],
    choose: (membership: Membership) => readonly User[],
  ): Promise<readonly User[] | null> {
    return this.changeMembers(appId, kind, id, usernames, choose, async (transaction, users) => {
      const now = this.clock.now();
      const rows = users.map(({ uuid }) => memberRow(appId, id, kind, uuid, now));
      await transaction.insert('group_members', memberColumns, rows);
      return users.length;
    });
  }

  /** Removes members under lock: those that `choose` answers. @returns as `addMembers` */
  removeMembers(
    appId: string,
    kind: GroupKind,
    id: number,
    usernames: readonly string[],
    choose: (membership: Membership) => readonly User[],
  ): Promise<readonly User[] | null> {
    return this.changeMembers(appId, kind, id, usernames, choose, async (transaction, users) => {
      const among = this.database.dialect.among('user_uuid', users.map(({ uuid }) => uuid).sort());
      await transaction.run(`DELETE FROM group_members WHERE app_id = ? AND group_id = ? AND ${among.sql}`, [
        appId,
        id,
        ...among.values,
      ]);
      return -users.length;
    });
  }

  /** Deletes what the users own, and their memberships in what others own. */
  async deleteOf(transaction: Transaction, appId: string, userUuids: readonly string[]): Promise<void> {
    const { among, forUpdate } = this.database.dialect;
    const owners = among('owner_uuid', userUuids);
    const owned = await transaction.read<{ id: number }>(
      `SELECT id FROM chat_groups WHERE app_id = ? AND ${owners.sql} ORDER BY id${forUpdate}`,
      [appId, ...owners.values],
    );
    await this.deleteGroups(
      transaction,
      appId,
      owned.map((group) => group.id),
    );
    const members = among('user_uuid', userUuids);
    const joined = await transaction.read<{ group_id: number }>(
      `SELECT group_id FROM group_members WHERE app_id = ? AND ${members.sql}`,
      [appId, ...members.values],
    );
    if (joined.length === 0) return;
    const leaving = new Map<number, number>();
    for (const { group_id } of joined) leaving.set(group_id, (leaving.get(group_id) ?? 0) + 1);
    // The groups first, as everybody else does, and all of them in one order.
    const groups = among('id', [...leaving.keys()].sort(byValue));
    await transaction.read(`SELECT id FROM chat_groups WHERE app_id = ? AND ${groups.sql} ORDER BY id${forUpdate}`, [
      appId,
      ...groups.values,
    ]);
    await transaction.run(`DELETE FROM group_members WHERE app_id = ? AND ${members.sql}`, [appId, ...members.values]);
    for (const count of new Set(leaving.values())) {
      const ids = [...leaving].flatMap(([id, leavers]) => (leavers === count ? id : []));
      const losing = among('id', ids.sort(byValue));
      await transaction.run(`UPDATE chat_groups SET members = members - ? WHERE app_id = ? AND ${losing.sql}`, [
        count,
        appId,
        ...losing.values,
      ]);
    }
  }

  private async insertWith(
    transaction: Transaction,
    appId: string,
    group: NewGroup,
    members: readonly User[],
  ): Promise<Group> {
    const now = this.clock.now();
    const id = this.ids.next();
    const row: ChatGroupRow = {
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
      members_most: group.membersMost,
      members: members.length,
      created_at: now,
      modified_at: now,
    };
    await transaction.insert('chat_groups', groupColumns, [{ ...row }]);
    const rows = members.map(({ uuid }) => memberRow(appId, id, group.kind, uuid, now));
    await transaction.insert('group_members', memberColumns, rows);
    return toGroup(row);
  }

  private async changeMembers(
    appId: string,
    kind: GroupKind,
    id: number,
    usernames: readonly string[],
    choose: (membership: Membership) => readonly User[],
    change: (transaction: Transaction, users: readonly User[]) => Promise<number>,
  ): Promise<readonly User[] | null> {
    return this.database.write(async (transaction) => {
      const users = await this.users.hold(transaction, appId, usernames);
      const group = await this.lock(transaction, appId, kind, id);
      if (group === null) return null;
      const among = this.database.dialect.among(
        'user_uuid',
        users.map((user) => user.uuid),
      );
      const present =
        users.length === 0
          ? []
          : await transaction.read<{ user_uuid: string }>(
              `SELECT user_uuid FROM group_members WHERE app_id = ? AND group_id = ? AND ${among.sql}`,
              [appId, id, ...among.values],
            );
      const chosen = choose({ group, users, present: new Set(present.map((row) => row.user_uuid)) });
      if (chosen.length === 0) return chosen;
      const difference = await change(transaction, chosen);
      await transaction.run(
        'UPDATE chat_groups SET members = members + ?, modified_at = ? WHERE app_id = ? AND id = ?',
        [difference, this.clock.now(), appId, id],
      );
      return chosen;
    }, appId);
  }

  private async deleteGroups(transaction: Transaction, appId: string, ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return;
    const members = this.database.dialect.among('group_id', ids);
    await transaction.run(`DELETE FROM group_members WHERE app_id = ? AND ${members.sql}`, [appId, ...members.values]);
    const groups = this.database.dialect.among('id', ids);
    await transaction.run(`DELETE FROM chat_groups WHERE app_id = ? AND ${groups.sql}`, [appId, ...groups.values]);
  }

  private async lock(transaction: Transaction, appId: string, kind: GroupKind, id: number): Promise<Group | null> {
    const [row] = await transaction.read<ChatGroupRow>(
      `${selectGroups} WHERE app_id = ? AND id = ? AND kind = ?${this.database.dialect.forUpdate}`,
      [appId, id, kind],
    );
    return row === undefined ? null : toGroup(row);
  }
}

function memberRow(appId: string, groupId: number, kind: GroupKind, userUuid: string, now: number) {
  return { app_id: appId, group_id: groupId, user_uuid: userUuid, kind, joined_at: now };
}

function toGroup(row: ChatGroupRow): Group {
  return {
    id: row.id,
    kind: row.kind,
    ownerUuid: row.owner_uuid,
    name: row.name,
    description: row.description,
    custom: row.custom,
    isPublic: row.is_public !== 0,
    membersOnly: row.members_only !== 0,
    allowInvites: row.allow_invites !== 0,
    membersMost: row.members_most,
    members: row.members,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  };
}

function byValue(one: number, other: number): number {
  return one - other;
}
