import { Injectable } from '@nestjs/common';
import type { PageNumber } from '../cursors/page-number.js';
import { Clock } from '../clock/clock.js';
import { readTextCursor, writeTextCursor } from '../cursors/text-cursor.js';
import { AppError } from '../errors/app-error.js';
import type { User } from '../users/user.js';
import { foldUsername } from '../users/username.js';
import type { GroupKind } from './group.js';
import { allOf, checkNames, groupNotFound, namesOfUsers, readGroupId, userNotFound } from './group-checks.js';
import { forever, type GroupList, type GroupListEntry, maxEntriesOf, wholeApp } from './group-list.js';
import { GroupListsRepository } from './group-lists.repository.js';
import { type GroupChanges, GroupWritesRepository } from './group-writes.repository.js';
import { GroupsRepository } from './groups.repository.js';

export interface GroupListPage {
  readonly entries: readonly GroupListEntry[];
  /** Where the next page begins; null when there is none. */
  readonly cursor: string | null;
}

/** The outcome for each user to be blocked. */
export type BlockResult = 'blocked' | 'owner' | 'no_member';

/** Maximum users that one call mutes, as set by the vendor. */
export const maxMutedPerCall: Readonly<Record<GroupKind, number>> = { group: 60, room: 100 };

/** Owns the user lists of groups (admins, blocked and muted users) and the super admins of an app. */
@Injectable()
export class GroupListsService {
  constructor(
    private readonly repository: GroupListsRepository,
    private readonly writes: GroupWritesRepository,
    private readonly groups: GroupsRepository,
    private readonly clock: Clock,
  ) {}

  /** The users on a list, newest first; mutes by latest end first. @throws AppError group_not_found, cursor_invalid */
  async list(
    appId: string,
    kind: GroupKind,
    id: string,
    list: GroupList,
    limit: number,
    cursor: string | null,
  ): Promise<GroupListPage> {
    const group = (await this.groups.find(appId, kind, readGroupId(id))) ?? groupNotFound(id);
    const scope = `${appId} ${list} ${group.id}`;
    const [expiresAt = 0, entryId = 0] = cursor === null ? [] : readTextCursor(scope, cursor).split('.').map(Number);
    const after = cursor === null ? null : { expiresAt, id: entryId };
    const found = await this.repository.listAfter(appId, group.id, list, after, limit + 1);
    const entries = found.slice(0, limit);
    const last = entries.at(-1);
    return {
      entries,
      cursor:
        found.length > limit && last !== undefined ? writeTextCursor(scope, `${last.expiresAt}.${last.id}`) : null,
    };
  }

  /**
   * Makes a member an admin; an admin stays one.
   * @throws AppError group_not_found, group_user_not_found, group_member_missing, group_owner_stays, group_list_full
   */
  addAdmin(appId: string, kind: GroupKind, id: string, username: string): Promise<void> {
    return this.change(appId, kind, id, [username], async (changes, [user]) => {
      const { group, present, lists } = changes.membership;
      if (user.uuid === group.ownerUuid) throw new AppError('group_owner_stays');
      if (!present.has(user.uuid)) throw new AppError('group_member_missing', { detail: user.username });
      if (lists.get(user.uuid)?.has('admin') === true) return;
      await checkRoom(changes, 'admin');
      await changes.put('admin', [user], forever);
    });
  }

  /** Makes an admin a plain member. @throws AppError group_not_found, group_user_not_found, group_admin_missing */
  removeAdmin(appId: string, kind: GroupKind, id: string, username: string): Promise<void> {
    return this.change(appId, kind, id, [username], async ({ membership, take }, [user]) => {
      if (membership.lists.get(user.uuid)?.has('admin') !== true)
        throw new AppError('group_admin_missing', { detail: user.username });
      await take(['admin'], [user]);
    });
  }

  /**
   * Blocks members: they leave, and cannot be added until they are unblocked. Only members and blocked users can be
   * blocked. @returns the outcome for each name
   * @throws AppError group_not_found, batch_too_large
   */
  async block(
    appId: string,
    kind: GroupKind,
    id: string,
    usernames: readonly string[],
  ): Promise<ReadonlyMap<string, BlockResult>> {
    const names = checkNames(usernames);
    const results = await this.writes.change(appId, kind, readGroupId(id), names, async (changes) => {
      const { group, users, present, lists } = changes.membership;
      const found = new Map(users.map((user) => [user.username, user]));
      const leaving = users.filter(({ uuid }) => present.has(uuid) && uuid !== group.ownerUuid);
      await changes.removeMembers(leaving);
      await changes.put('block', leaving, forever);
      const left = new Set(leaving);
      const resultOf = (user: User | undefined): BlockResult => {
        if (user === undefined) return 'no_member';
        if (user.uuid === group.ownerUuid) return 'owner';
        return left.has(user) || lists.get(user.uuid)?.has('block') === true ? 'blocked' : 'no_member';
      };
      return new Map(names.map((name) => [name, resultOf(found.get(name))]));
    });
    return results ?? groupNotFound(id);
  }

  /**
   * As `block`, for one user; throws when that user cannot be blocked.
   * @throws AppError group_not_found, group_user_not_found, group_member_missing, group_owner_stays
   */
  blockOne(appId: string, kind: GroupKind, id: string, username: string): Promise<void> {
    return this.change(appId, kind, id, [username], async (changes, [user]) => {
      const { group, present, lists } = changes.membership;
      if (user.uuid === group.ownerUuid) throw new AppError('group_owner_stays');
      if (lists.get(user.uuid)?.has('block') === true) return;
      if (!present.has(user.uuid)) throw new AppError('group_member_missing', { detail: user.username });
      await changes.removeMembers([user]);
      await changes.put('block', [user], forever);
    });
  }

  /**
   * Mutes members for `durationMs`, permanently when it is -1; 0 lifts their mutes.
   * @returns when the mutes end, in Unix milliseconds
   * @throws AppError group_not_found, group_user_not_found, group_member_missing, group_owner_stays, batch_too_large,
   *   argument_invalid
   */
  async mute(
    appId: string,
    kind: GroupKind,
    id: string,
    usernames: readonly string[],
    durationMs: number,
  ): Promise<number> {
    if (!Number.isSafeInteger(durationMs) || durationMs < -1)
      throw new AppError('argument_invalid', { detail: 'mute_duration must be milliseconds, or -1 for no end' });
    const names = checkNames(usernames, maxMutedPerCall[kind]);
    const now = this.clock.now();
    const expiresAt = durationMs === -1 ? forever : Math.min(now + durationMs, forever);
    const done = await this.writes.change(appId, kind, readGroupId(id), names, async (changes) => {
      const { group, present } = changes.membership;
      const users = allOf(names, changes.membership);
      if (users.some(({ uuid }) => uuid === group.ownerUuid)) throw new AppError('group_owner_stays');
      const strangers = users.filter(({ uuid }) => !present.has(uuid));
      if (strangers.length > 0)
        throw new AppError('group_member_missing', { detail: namesOfUsers(strangers).join(', ') });
      if (durationMs === 0) await changes.take(['mute'], users);
      else await changes.put('mute', users, expiresAt);
      return true;
    });
    if (done === null) groupNotFound(id);
    return expiresAt;
  }

  /**
   * Removes users from a list, skipping those not on it. @returns the names of those removed
   * @throws AppError group_not_found, group_user_not_found, batch_too_large
   */
  async remove(
    appId: string,
    kind: GroupKind,
    id: string,
    list: 'block' | 'mute',
    usernames: readonly string[],
  ): Promise<string[]> {
    const names = checkNames(usernames, list === 'mute' ? maxMutedPerCall[kind] : undefined);
    const removed = await this.writes.change(appId, kind, readGroupId(id), names, async ({ membership, take }) => {
      const listed = allOf(names, membership).filter(({ uuid }) => membership.lists.get(uuid)?.has(list) === true);
      await take([list], listed);
      return listed;
    });
    return namesOfUsers(removed ?? groupNotFound(id));
  }

  /** The super admins of the app's rooms, newest first; all, or one page. */
  async listSuperAdmins(appId: string, page: PageNumber | null): Promise<string[]> {
    const entries = await this.repository.listAfter(appId, wholeApp, 'super_admin', null, maxEntriesOf.super_admin);
    const names = entries.map(({ username }) => username);
    return page === null ? names : names.slice((page.page - 1) * page.size, page.page * page.size);
  }

  /** @throws AppError group_user_not_found, group_list_full */
  async addSuperAdmin(appId: string, username: string): Promise<void> {
    const done = await this.writes.changeAppList(
      appId,
      foldUsername(username),
      'super_admin',
      async (user, isOn, changes) => {
        if (isOn) return true;
        await checkRoom(changes, 'super_admin');
        await changes.put('super_admin', [user], forever);
        return true;
      },
    );
    if (done === null) userNotFound(username);
  }

  /** @throws AppError group_user_not_found, group_admin_missing */
  async removeSuperAdmin(appId: string, username: string): Promise<void> {
    const done = await this.writes.changeAppList(
      appId,
      foldUsername(username),
      'super_admin',
      async (user, isOn, { take }) => {
        if (!isOn) throw new AppError('group_admin_missing', { detail: user.username });
        await take(['super_admin'], [user]);
        return true;
      },
    );
    if (done === null) userNotFound(username);
  }

  /** Runs a change of a group that concerns the named users. @throws AppError group_not_found, group_user_not_found */
  private async change(
    appId: string,
    kind: GroupKind,
    id: string,
    usernames: readonly string[],
    work: (changes: GroupChanges, users: [User]) => Promise<void>,
  ): Promise<void> {
    const names = checkNames(usernames);
    const done = await this.writes.change(appId, kind, readGroupId(id), names, async (changes) => {
      await work(changes, allOf(names, changes.membership) as [User]);
      return true;
    });
    if (done === null) groupNotFound(id);
  }
}

async function checkRoom({ count }: Pick<GroupChanges, 'count'>, list: GroupList): Promise<void> {
  const limit = maxEntriesOf[list];
  if ((await count(list)) >= limit) throw new AppError('group_list_full', { limit });
}
