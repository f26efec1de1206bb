import { Injectable } from '@nestjs/common';
import { CostlyReads, slicesOf } from '../database/costly-reads.js';
import { AppError } from '../errors/app-error.js';
import { readCursor, writeCursor } from '../cursors/list-cursor.js';
import { foldUsername } from '../users/username.js';
import { UsersService } from '../users/users.service.js';
import {
  allOf,
  checkGroup,
  checkNames,
  checkTexts,
  groupNotFound,
  namesOfUsers,
  readGroupId,
  userNotFound,
} from './group-checks.js';
import type { Group, GroupChange, GroupKind, NewGroup } from './group.js';
import { type GroupChanges, type GroupColumns, GroupWritesRepository } from './group-writes.repository.js';
import { GroupsRepository } from './groups.repository.js';

export interface GroupDetail {
  readonly group: Group;
  readonly owner: string;
  /** Member names without the owner, in alphabetical order. */
  readonly members: readonly string[];
}

export interface GroupPage {
  readonly groups: readonly { readonly group: Group; readonly owner: string }[];
  /** Where the next page begins; null when there is none. */
  readonly cursor: string | null;
}

export type OwnedCounts = Readonly<Record<GroupKind, number>>;

/** Maximum groups that one call may request by id. */
const maxGroupsPerCall = 20;
/** For a new group, including its owner: they are stored in one transaction. */
const maxFirstMembers = 300;
const namesAtOnce = 100;
/** Naming the members of a larger group counts as a costly read. */
const maxPlainMembers = 500;

/** Owns chat groups and chat rooms: who owns each, and who its members are. */
@Injectable()
export class GroupsService {
  constructor(
    private readonly repository: GroupsRepository,
    private readonly writes: GroupWritesRepository,
    private readonly users: UsersService,
    private readonly costlyReads: CostlyReads,
  ) {}

  /**
   * Creates a group owned by `owner`, who is also a member.
   * @throws AppError group_user_not_found, group_full, argument_invalid
   */
  async create(appId: string, group: NewGroup, owner: string, members: readonly string[]): Promise<Group> {
    checkGroup(group);
    const names = [...new Set([owner, ...members].map(foldUsername))];
    if (names.length > maxFirstMembers)
      throw new AppError('batch_too_large', { count: names.length, limit: maxFirstMembers });
    if (names.length > group.maxMembers) throw new AppError('group_full');
    return this.writes.insert(appId, group, names, (users) =>
      names.map((name) => users.get(name) ?? userNotFound(name)),
    );
  }

  /** @throws AppError group_not_found */
  async get(appId: string, kind: GroupKind, id: string): Promise<GroupDetail> {
    const group = await this.find(appId, kind, id);
    const detail = (): Promise<GroupDetail> => this.detailOf(appId, group);
    return group.members > maxPlainMembers ? this.costlyReads.run(appId, detail) : detail();
  }

  /**
   * The groups that exist, in the order of the given ids.
   * @throws AppError group_not_found when none of them exists, batch_too_large
   */
  async getAll(appId: string, kind: GroupKind, ids: readonly string[]): Promise<GroupDetail[]> {
    if (ids.length > maxGroupsPerCall)
      throw new AppError('batch_too_large', { count: ids.length, limit: maxGroupsPerCall });
    const found: GroupDetail[] = [];
    for (const id of ids)
      try {
        found.push(await this.get(appId, kind, id));
      } catch (error) {
        if (!(error instanceof AppError && error.code === 'group_not_found')) throw error;
        if (id === ids.at(-1) && found.length === 0) throw error;
      }
    return found;
  }

  /** How many groups and rooms each of up to 100 users owns. Costs in proportion to their number. */
  async countOwned(appId: string, ownerUuids: readonly string[]): Promise<ReadonlyMap<string, OwnedCounts>> {
    const counts = new Map<string, OwnedCounts>();
    for (const { ownerUuid, kind, owned } of await this.repository.countOwned(appId, ownerUuids))
      counts.set(ownerUuid, { ...(counts.get(ownerUuid) ?? { group: 0, room: 0 }), [kind]: owned });
    return counts;
  }

  /** Groups in order of creation. @throws AppError cursor_invalid */
  async list(appId: string, kind: GroupKind, limit: number, cursor: string | null): Promise<GroupPage> {
    const afterId = cursor === null ? 0 : readCursor(appId, cursor);
    const found = await this.repository.listAfter(appId, kind, afterId, limit + 1);
    const groups = found.slice(0, limit);
    const names = await this.namesOf(
      appId,
      groups.map((group) => group.ownerUuid),
    );
    return {
      groups: groups.map((group) => ({ group, owner: names.get(group.ownerUuid) ?? '' })),
      cursor: found.length > limit ? writeCursor(appId, groups.at(-1)?.id ?? 0) : null,
    };
  }

  /**
   * Changes the given fields. A new owner must be a member; the old owner remains one.
   * @throws AppError group_not_found, group_user_not_found, group_member_missing, group_full, argument_invalid
   */
  async update(appId: string, kind: GroupKind, id: string, change: GroupChange): Promise<void> {
    const names = change.newOwner === undefined ? [] : checkNames([change.newOwner]);
    const done = await this.writes.change(appId, kind, readGroupId(id), names, async (changes) => {
      const { group } = changes.membership;
      checkGroup({ ...group, ...change });
      if (change.maxMembers !== undefined && group.members > change.maxMembers) throw new AppError('group_full');
      const columns = { ...columnsOf(change), ...(await takeOver(changes, names)) };
      await changes.set(columns);
      return true;
    });
    if (done === null) groupNotFound(id);
  }

  /** @throws AppError group_not_found */
  async announcement(appId: string, kind: GroupKind, id: string): Promise<string> {
    return (await this.repository.findAnnouncement(appId, kind, readGroupId(id))) ?? groupNotFound(id);
  }

  /** @throws AppError group_not_found, argument_invalid */
  async announce(appId: string, kind: GroupKind, id: string, announcement: string): Promise<void> {
    checkTexts({ announcement });
    const done = await this.writes.change(appId, kind, readGroupId(id), [], async ({ set }) => {
      await set({ announcement });
      return true;
    });
    if (done === null) groupNotFound(id);
  }

  /** @throws AppError group_not_found */
  async delete(appId: string, kind: GroupKind, id: string): Promise<void> {
    if (!(await this.writes.delete(appId, kind, readGroupId(id)))) groupNotFound(id);
  }

  /**
   * Adds users; existing members stay. @returns the names of the new members
   * @throws AppError group_not_found, group_user_not_found, group_user_blocked, group_full, batch_too_large
   */
  async addMembers(appId: string, kind: GroupKind, id: string, usernames: readonly string[]): Promise<string[]> {
    const names = checkNames(usernames);
    const added = await this.writes.change(appId, kind, readGroupId(id), names, async (changes) => {
      const { group, present, lists } = changes.membership;
      const joining = allOf(names, changes.membership).filter(({ uuid }) => !present.has(uuid));
      const blocked = joining.find(({ uuid }) => lists.get(uuid)?.has('block') === true);
      if (blocked !== undefined) throw new AppError('group_user_blocked', { detail: blocked.username });
      if (group.members + joining.length > group.maxMembers) throw new AppError('group_full');
      await changes.addMembers(joining);
      return joining;
    });
    return namesOfUsers(added ?? groupNotFound(id));
  }

  /**
   * Removes members, skipping users who are not. @returns the names of those removed
   * @throws AppError group_not_found, group_user_not_found, group_owner_stays, batch_too_large
   */
  async removeMembers(appId: string, kind: GroupKind, id: string, usernames: readonly string[]): Promise<string[]> {
    const names = checkNames(usernames);
    const removed = await this.writes.change(appId, kind, readGroupId(id), names, async (changes) => {
      const { group, present } = changes.membership;
      const leaving = allOf(names, changes.membership).filter(({ uuid }) => present.has(uuid));
      if (leaving.some(({ uuid }) => uuid === group.ownerUuid)) throw new AppError('group_owner_stays');
      await changes.removeMembers(leaving);
      return leaving;
    });
    return namesOfUsers(removed ?? groupNotFound(id));
  }

  private async detailOf(appId: string, group: Group): Promise<GroupDetail> {
    const uuids = await this.repository.listMembers(appId, group.id);
    const names = await this.namesOf(appId, uuids);
    const members = uuids.flatMap((uuid) => (uuid === group.ownerUuid ? [] : (names.get(uuid) ?? [])));
    return { group, owner: names.get(group.ownerUuid) ?? '', members: members.sort() };
  }

  private async find(appId: string, kind: GroupKind, id: string): Promise<Group> {
    return (await this.repository.find(appId, kind, readGroupId(id))) ?? groupNotFound(id);
  }

  private async namesOf(appId: string, uuids: readonly string[]): Promise<Map<string, string>> {
    const names = new Map<string, string>();
    for await (const some of slicesOf([...new Set(uuids)], namesAtOnce))
      for (const [uuid, { username }] of await this.users.findAllByUuid(appId, some)) names.set(uuid, username);
    return names;
  }
}

/**
 * Hands the group to its new owner. An owner is neither an admin nor muted.
 * @param names the new owner's name, or none to keep the owner
 */
async function takeOver({ membership, take }: GroupChanges, names: readonly string[]): Promise<GroupColumns> {
  const [owner] = allOf(names, membership);
  if (owner === undefined) return {};
  if (!membership.present.has(owner.uuid)) throw new AppError('group_member_missing', { detail: owner.username });
  await take(['admin', 'mute'], [owner]);
  return { owner_uuid: owner.uuid };
}

function columnsOf(change: GroupChange): GroupColumns {
  const { name, description, custom, isPublic, membersOnly, allowInvites, maxMembers } = change;
  const flag = (value: boolean): number => (value ? 1 : 0);
  return {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(custom === undefined ? {} : { custom }),
    ...(isPublic === undefined ? {} : { is_public: flag(isPublic) }),
    ...(membersOnly === undefined ? {} : { members_only: flag(membersOnly) }),
    ...(allowInvites === undefined ? {} : { allow_invites: flag(allowInvites) }),
    ...(maxMembers === undefined ? {} : { members_most: maxMembers }),
  };
}
