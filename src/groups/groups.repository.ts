import { Injectable } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { breathe } from '../database/costly-reads.js';
import { Database, type SqlValue, type Transaction } from '../database/database.js';
import { TimeOrderedIds } from '../ids/time-ordered-ids.js';
import { RemovalsService } from '../removals/removals.service.js';
import type { User } from '../users/user.js';
import { UsersService } from '../users/users.service.js';
import type { ChatGroupRow } from './chat-group.entity.js';
import type { Group, GroupKind, NewGroup } from './group.js';

const groupColumns = [
  ...['app_id', 'id', 'kind', 'owner_uuid', 'name', 'description', 'custom', 'is_public', 'members_only'],
  ...['allow_invites', 'members_most', 'members', 'created_at', 'modified_at'],
];
const memberColumns = ['app_id', 'group_id', 'user_uuid', 'kind', 'joined_at'];
const maxRows = 1000;

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
    private readonly removals: RemovalsService,
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
      const held = await this.users.lockForUpdate(transaction, appId, usernames);
      const members = choose(new Map(held.map((user) => [user.username, user])));
      return this.insertWith(transaction, appId, group, members);
    }, appId);
  }

  async find(appId: string, kind: GroupKind, id: number): Promise<Group | null> {
    const [group] = await this.list('chat_groups g', 'WHERE g.app_id = ? AND g.id = ? AND g.kind = ?', [
      appId,
      id,
      kind,
    ]);
    return group ?? null;
  }

  /** Up to `limit` groups of a kind after the one with the id `afterId`, oldest first. */
  async listAfter(appId: string, kind: GroupKind, afterId: number, limit: number): Promise<Group[]> {
    return this.list('chat_groups g', 'WHERE g.app_id = ? AND g.id > ? AND g.kind = ? ORDER BY g.id LIMIT ?', [
      ...[appId, afterId, kind, limit],
    ]);
  }

  /** The uuids of all members, by uuid. */
  async listMembers(appId: string, groupId: number): Promise<string[]> {
    const found: string[] = [];
    for (let after = ''; ;) {
      const rows = await this.database.read<{ user_uuid: string }>(
        'SELECT user_uuid FROM group_members WHERE app_id = ? AND group_id = ? AND user_uuid > ?' +
          ' ORDER BY user_uuid LIMIT ?',
        [appId, groupId, after, maxRows],
        appId,
      );
      found.push(...rows.map((row) => row.user_uuid));
      if (rows.length < maxRows) return found;
      after = found.at(-1) as string;
      await breathe();
    }
  }

  /** The groups of a kind that the user is a member of, oldest first, 1,000 at most. */
  async listJoined(appId: string, kind: GroupKind, userUuid: string): Promise<Group[]> {
    return this.list(
      'group_members m CROSS JOIN chat_groups g ON g.app_id = m.app_id AND g.id = m.group_id',
      'WHERE m.app_id = ? AND m.user_uuid = ? AND m.kind = ? ORDER BY m.group_id LIMIT ?',
      [appId, userUuid, kind, maxRows],
    );
  }

  /** Deletes the group; its memberships are out of reach at once. False when there is none. */
  delete(appId: string, kind: GroupKind, id: number): Promise<boolean> {
    return this.database.write(async (transaction) => {
      const group = await this.lock(transaction, appId, kind, id);
      if (group === null) return false;
      await transaction.run('DELETE FROM chat_groups WHERE app_id = ? AND id = ?', [appId, id]);
      await this.removals.begin(transaction, appId, 'group', [String(id)]);
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

  /** The groups of a question, with `g` for them. One whose owner is gone is as good as gone. */
  private async list(from: string, condition: string, values: readonly SqlValue[]): Promise<Group[]> {
    const { selectInOrder, forceIndex } = this.database.dialect;
    const rows = await this.database.read<ChatGroupRow>(
      `${selectInOrder} ${groupColumns.map((column) => `g.${column}`).join(', ')} FROM ${from}` +
        ` CROSS JOIN users u${forceIndex('users_by_uuid')} ON u.app_id = g.app_id AND u.uuid = g.owner_uuid ${condition}`,
      values,
      values[0] as string,
    );
    return this.withoutLeavers(this.database, values[0] as string, rows.map(toGroup));
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
      members_most: group.maxMembers,
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
      const users = await this.users.lockForUpdate(transaction, appId, usernames);
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

  /** The group, unless its owner is gone: what such a group has left is about to be removed. */
  private async lock(transaction: Transaction, appId: string, kind: GroupKind, id: number): Promise<Group | null> {
    const { forUpdate, forceIndex } = this.database.dialect;
    const [row] = await transaction.read<ChatGroupRow>(
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
    const [group] = await this.withoutLeavers(transaction, appId, [toGroup(row)]);
    return group ?? null;
  }

  /** Counts off the groups those members who are deleted, and whose memberships are still to be removed. */
  private async withoutLeavers(
    source: Pick<Transaction, 'read'>,
    appId: string,
    groups: readonly Group[],
  ): Promise<Group[]> {
    if (groups.length === 0) return [];
    const { among, selectInOrder } = this.database.dialect;
    const these = among(
      'm.group_id',
      groups.map(({ id }) => id),
    );
    const leavers = await source.read<{ group_id: number; leaving: number | string }>(
      `${selectInOrder} m.group_id, COUNT(m.user_uuid) AS leaving FROM removals r CROSS JOIN group_members m` +
        " ON m.app_id = r.app_id AND m.user_uuid = r.subject WHERE r.app_id = ? AND r.kind = 'user'" +
        ` AND ${these.sql} GROUP BY m.group_id`,
      [appId, ...these.values],
    );
    if (leavers.length === 0) return [...groups];
    const leaving = new Map(leavers.map((row) => [row.group_id, Number(row.leaving)]));
    return groups.map((group) => ({ ...group, members: group.members - (leaving.get(group.id) ?? 0) }));
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
    maxMembers: row.members_most,
    members: row.members,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  };
}
