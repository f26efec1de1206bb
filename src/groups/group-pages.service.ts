import { Injectable } from '@nestjs/common';
import { readTextCursor, writeTextCursor } from '../cursors/text-cursor.js';
import type { PageNumber } from '../cursors/page-number.js';
import { breathe, CostlyReads } from '../database/costly-reads.js';
import { UsersService } from '../users/users.service.js';
import type { Group, GroupKind } from './group.js';
import { groupNotFound, readGroupId } from './group-checks.js';
import { GroupsRepository, type NamedMember } from './groups.repository.js';

export interface MemberPage {
  readonly names: readonly string[];
  /** Where the next page begins; null when there is none. */
  readonly cursor: string | null;
}

const rowsAtOnce = 1_000;
/** Walking over more rows counts as a costly read. */
const maxPlainRows = 1_000;
/** Pages beyond this many groups of one user are empty. */
const maxJoined = 10_000;

/** Pages of lists that may be long: the members of a group and the groups of a user. */
@Injectable()
export class GroupPagesService {
  constructor(
    private readonly repository: GroupsRepository,
    private readonly users: UsersService,
    private readonly costlyReads: CostlyReads,
  ) {}

  /** Member names without the owner. @throws AppError group_not_found, cursor_invalid */
  async listMembers(
    appId: string,
    kind: GroupKind,
    id: string,
    limit: number,
    cursor: string | null,
  ): Promise<MemberPage> {
    const group = await this.find(appId, kind, id);
    const scope = `${appId} members ${group.id}`;
    const after = cursor === null ? '' : readTextCursor(scope, cursor);
    // One extra for the owner, and one to tell whether there is a next page.
    const found = await this.repository.listNamedMembers(appId, group.id, after, limit + 2);
    const members = found.filter(({ uuid }) => uuid !== group.ownerUuid);
    const page = members.slice(0, limit);
    const last = page.at(-1);
    return {
      names: page.map(({ username }) => username),
      cursor: members.length > limit && last !== undefined ? writeTextCursor(scope, last.uuid) : null,
    };
  }

  /** Members, including the owner, by page number. @throws AppError group_not_found */
  async listMembersByNumber(
    appId: string,
    kind: GroupKind,
    id: string,
    page: PageNumber,
  ): Promise<{ readonly username: string; readonly isOwner: boolean }[]> {
    const group = await this.find(appId, kind, id);
    const first = (page.page - 1) * page.size;
    if (first >= group.members) return [];
    const found = await this.walk<NamedMember>(appId, first + page.size, (last, limit) =>
      this.repository.listNamedMembers(appId, group.id, last?.uuid ?? '', limit),
    );
    return found.slice(first).map(({ uuid, username }) => ({ username, isOwner: uuid === group.ownerUuid }));
  }

  /** The first 1,000 groups a user is in, including owned ones; or one page. @throws AppError user_not_found */
  async listJoined(appId: string, kind: GroupKind, username: string, page: PageNumber | null): Promise<Group[]> {
    const { uuid } = await this.users.get(appId, username);
    const { page: number, size } = page ?? { page: 1, size: rowsAtOnce };
    const first = (number - 1) * size;
    if (first >= maxJoined) return [];
    const found = await this.walk<Group>(appId, Math.min(first + size, maxJoined), (last, limit) =>
      this.repository.listJoined(appId, kind, uuid, last?.id ?? 0, limit),
    );
    return found.slice(first);
  }

  /** Reads the first `count` rows a thousand per statement, each starting after the last row of the previous one. */
  private async walk<Row>(
    appId: string,
    count: number,
    read: (last: Row | undefined, limit: number) => Promise<Row[]>,
  ): Promise<Row[]> {
    const rows = async (): Promise<Row[]> => {
      const found: Row[] = [];
      for (;;) {
        const limit = Math.min(rowsAtOnce, count - found.length);
        const some = await read(found.at(-1), limit);
        found.push(...some);
        if (some.length < limit || found.length >= count) return found;
        await breathe();
      }
    };
    return count > maxPlainRows ? this.costlyReads.run(appId, rows) : rows();
  }

  private async find(appId: string, kind: GroupKind, id: string): Promise<Group> {
    return (await this.repository.find(appId, kind, readGroupId(id))) ?? groupNotFound(id);
  }
}
