import { Injectable } from '@nestjs/common';
import { breathe } from '../database/costly-reads.js';
import { Database, type SqlValue, type Transaction } from '../database/database.js';
import type { ChatGroupRow } from './chat-group.entity.js';
import type { Group, GroupKind } from './group.js';

export const groupColumns = [
  ...['app_id', 'id', 'kind', 'owner_uuid', 'name', 'description', 'custom', 'is_public', 'members_only'],
  ...['allow_invites', 'members_most', 'members', 'created_at', 'modified_at'],
];
const maxRows = 250;

export type GroupRow = Omit<ChatGroupRow, 'announcement'>;

export interface NamedMember {
  readonly uuid: string;
  readonly username: string;
}

export interface OwnedGroups {
  readonly ownerUuid: string;
  readonly kind: GroupKind;
  readonly owned: number;
}

/** Queries on groups. */
@Injectable()
export class GroupsRepository {
  constructor(private readonly database: Database) {}

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
    const from = `chat_groups g${this.database.dialect.forceIndex('chat_groups_by_kind')}`;
    return this.list(from, 'WHERE g.app_id = ? AND g.kind = ? AND g.id > ? ORDER BY g.id LIMIT ?', [
      ...[appId, kind, afterId, limit],
    ]);
  }

  /** The uuids of all members, ordered by uuid. */
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

  /** Up to `limit` members after the one with this uuid, ordered by uuid. */
  async listNamedMembers(appId: string, groupId: number, afterUuid: string, limit: number): Promise<NamedMember[]> {
    const { selectInOrder, forceIndex } = this.database.dialect;
    return this.database.read<NamedMember>(
      `${selectInOrder} m.user_uuid AS uuid, u.username FROM group_members m` +
        ` CROSS JOIN users u${forceIndex('users_by_uuid')} ON u.app_id = m.app_id AND u.uuid = m.user_uuid` +
        ' WHERE m.app_id = ? AND m.group_id = ? AND m.user_uuid > ? ORDER BY m.user_uuid LIMIT ?',
      [appId, groupId, afterUuid, limit],
      appId,
    );
  }

  /** Up to `limit` groups of a kind that the user is a member of, after the one with the id `afterId`, oldest first. */
  async listJoined(appId: string, kind: GroupKind, userUuid: string, afterId: number, limit: number): Promise<Group[]> {
    const { forceIndex } = this.database.dialect;
    return this.list(
      `group_members m${forceIndex('group_members_by_user')}` +
        ' CROSS JOIN chat_groups g ON g.app_id = m.app_id AND g.id = m.group_id',
      'WHERE m.app_id = ? AND m.user_uuid = ? AND m.kind = ? AND m.group_id > ? ORDER BY m.group_id LIMIT ?',
      [appId, userUuid, kind, afterId, limit],
    );
  }

  /** How many groups of each kind these users own; those who own none are left out. For up to 100 users. */
  async countOwned(appId: string, ownerUuids: readonly string[]): Promise<OwnedGroups[]> {
    if (ownerUuids.length === 0) return [];
    const owners = this.database.dialect.among('owner_uuid', ownerUuids);
    const rows = await this.database.read<{ owner_uuid: string; kind: GroupKind; owned: number | string }>(
      'SELECT owner_uuid, kind, COUNT(*) AS owned FROM chat_groups' +
        `${this.database.dialect.forceIndex('chat_groups_by_owner')} WHERE app_id = ? AND ${owners.sql}` +
        ' GROUP BY owner_uuid, kind',
      [appId, ...owners.values],
      appId,
    );
    return rows.map((row) => ({ ownerUuid: row.owner_uuid, kind: row.kind, owned: Number(row.owned) }));
  }

  /** The group's announcement; null when there is no such group. */
  async findAnnouncement(appId: string, kind: GroupKind, id: number): Promise<string | null> {
    const { selectInOrder, forceIndex } = this.database.dialect;
    const [row] = await this.database.read<{ announcement: string | null }>(
      `${selectInOrder} g.announcement FROM chat_groups g CROSS JOIN users u${forceIndex('users_by_uuid')}` +
        ' ON u.app_id = g.app_id AND u.uuid = g.owner_uuid WHERE g.app_id = ? AND g.id = ? AND g.kind = ?',
      [appId, id, kind],
      appId,
    );
    return row === undefined ? null : (row.announcement ?? '');
  }

  /** The groups a query selects, aliased as `g`. A group whose owner is gone counts as deleted. */
  private async list(from: string, condition: string, values: readonly SqlValue[]): Promise<Group[]> {
    const { selectInOrder, forceIndex } = this.database.dialect;
    const rows = await this.database.read<GroupRow>(
      `${selectInOrder} ${groupColumns.map((column) => `g.${column}`).join(', ')} FROM ${from}` +
        ` CROSS JOIN users u${forceIndex('users_by_uuid')} ON u.app_id = g.app_id AND u.uuid = g.owner_uuid ${condition}`,
      values,
      values[0] as string,
    );
    return this.withoutLeavers(this.database, values[0] as string, rows.map(toGroup));
  }

  /** Subtracts deleted members whose memberships are still to be removed from the groups' counts. */
  async withoutLeavers(source: Pick<Transaction, 'read'>, appId: string, groups: readonly Group[]): Promise<Group[]> {
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

export function toGroup(row: GroupRow): Group {
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
