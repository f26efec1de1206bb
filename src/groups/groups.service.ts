import { Injectable } from '@nestjs/common';
import { breathe, CostlyReads } from '../database/costly-reads.js';
import { AppError } from '../errors/app-error.js';
import { readCursor, writeCursor } from '../cursors/list-cursor.js';
import type { User } from '../users/user.js';
import { foldUsername } from '../users/username.js';
import { UsersService } from '../users/users.service.js';
import { type Group, type GroupKind, maxMembersOf, type NewGroup } from './group.js';
import { GroupsRepository, type Membership } from './groups.repository.js';

export interface GroupDetail {
  readonly group: Group;
  readonly owner: string;
  /** The names of the members without the owner, in the order of the alphabet. */
  readonly members: readonly string[];
}

export interface GroupPage {
  readonly groups: readonly { readonly group: Group; readonly owner: string }[];
  /** Where the next page begins; null: there is none. */
  readonly cursor: string | null;
}

/** Users added or removed in one call. */
export const maxMembersPerCall = 60;
/** Groups that one call may ask for by their ids. */
const maxGroupsPerCall = 20;
/** Of a new group, its owner among them: they are stored in one transaction. */
const maxFirstMembers = 300;
const namesAtOnce = 500;
/** To name the members of a larger group is a costly read. */
const maxPlainMembers = 500;
const maxNameLength = 128;
const maxDescriptionLength = 512;
const maxCustomLength = 4096;

/** Owns the chat groups and chat rooms as far as somebody owns them: who owns which, and who is in it. */
@Injectable()
export class GroupsService {
  constructor(
    private readonly repository: GroupsRepository,
    private readonly users: UsersService,
    private readonly costlyReads: CostlyReads,
  ) {}

  /**
   * Makes a group that belongs to `owner`, who is a member too.
   * @throws AppError group_user_not_found, group_full, argument_invalid
   */
  async create(appId: string, group: NewGroup, owner: string, members: readonly string[]): Promise<Group> {
    checkGroup(group);
    const names = [...new Set([owner, ...members].map(foldUsername))];
    if (names.length > maxFirstMembers)
      throw new AppError('batch_too_large', { count: names.length, limit: maxFirstMembers });
    if (names.length > group.maxMembers) throw new AppError('group_full');
    return this.repository.insert(appId, group, names, (users) =>
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
   * Those of these groups that exist, in the order of the ids.
   * @throws AppError group_not_found where there is none of them, batch_too_large
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

  /** Groups in the order of their making. @throws AppError cursor_invalid */
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

  /** The groups that a user is in, the user's own among them. @throws AppError user_not_found */
  async joined(appId: string, kind: GroupKind, username: string): Promise<Group[]> {
    const { uuid } = await this.users.get(appId, username);
    return this.repository.listJoined(appId, kind, uuid);
  }

  /** @throws AppError group_not_found */
  async delete(appId: string, kind: GroupKind, id: string): Promise<void> {
    if (!(await this.repository.delete(appId, kind, readGroupId(id)))) groupNotFound(id);
  }

  /**
   * Adds users; who is in already stays. @returns those that are new
   * @throws AppError group_not_found, group_user_not_found, group_full, batch_too_large
   */
  async addMembers(appId: string, kind: GroupKind, id: string, usernames: readonly string[]): Promise<string[]> {
    const names = checkNames(usernames);
    const added = await this.repository.addMembers(appId, kind, readGroupId(id), names, (membership) => {
      const joining = allOf(names, membership).filter(({ uuid }) => !membership.present.has(uuid));
      const { members, maxMembers } = membership.group;
      if (members + joining.length > maxMembers) throw new AppError('group_full');
      return joining;
    });
    return namesOfUsers(added ?? groupNotFound(id));
  }

  /**
   * Removes members; who is not in is left out. @returns those that were removed
   * @throws AppError group_not_found, group_user_not_found, group_owner_stays, batch_too_large
   */
  async removeMembers(appId: string, kind: GroupKind, id: string, usernames: readonly string[]): Promise<string[]> {
    const names = checkNames(usernames);
    const removed = await this.repository.removeMembers(appId, kind, readGroupId(id), names, (membership) => {
      const leaving = allOf(names, membership).filter(({ uuid }) => membership.present.has(uuid));
      if (leaving.some(({ uuid }) => uuid === membership.group.ownerUuid)) throw new AppError('group_owner_stays');
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
    const unique = [...new Set(uuids)];
    const names = new Map<string, string>();
    for (let start = 0; start < unique.length; start += namesAtOnce) {
      const found = await this.users.findAllByUuid(appId, unique.slice(start, start + namesAtOnce));
      for (const [uuid, { username }] of found) names.set(uuid, username);
      if (start + namesAtOnce < unique.length) await breathe();
    }
    return names;
  }
}

function checkGroup({ kind, name, description, custom, maxMembers }: NewGroup): void {
  const tooLong = (member: string, most: number): never => {
    throw new AppError('argument_invalid', { detail: `${member} must be at most ${most} characters` });
  };
  // The database would keep something else in its place.
  if (![name, description, custom].every((text) => text.isWellFormed() && !text.includes('\0')))
    throw new AppError('argument_invalid', { detail: 'texts of a group must be well-formed Unicode text' });
  if (name.length > maxNameLength) tooLong('the name', maxNameLength);
  if (description.length > maxDescriptionLength) tooLong('the description', maxDescriptionLength);
  if (custom.length > maxCustomLength) tooLong('custom', maxCustomLength);
  const most = maxMembersOf[kind];
  if (!Number.isSafeInteger(maxMembers) || maxMembers < 1 || maxMembers > most)
    throw new AppError('argument_invalid', { detail: `maxusers must be a whole number from 1 to ${most}` });
}

function checkNames(usernames: readonly string[]): string[] {
  if (usernames.length > maxMembersPerCall)
    throw new AppError('batch_too_large', { count: usernames.length, limit: maxMembersPerCall });
  return [...new Set(usernames.map(foldUsername))];
}

/** @throws AppError group_user_not_found when somebody is missing: then nothing changes for anybody */
function allOf(names: readonly string[], { users }: Membership): User[] {
  const found = new Map(users.map((user) => [user.username, user]));
  return names.map((name) => found.get(name) ?? userNotFound(name));
}

function namesOfUsers(users: readonly User[]): string[] {
  return users.map((user) => user.username);
}

/** What cannot be an id names no group. */
function readGroupId(text: string): number {
  const id = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(id) ? id : groupNotFound(text);
}

function groupNotFound(id: string): never {
  throw new AppError('group_not_found', { detail: id });
}

function userNotFound(name: string): never {
  throw new AppError('group_user_not_found', { detail: name });
}
