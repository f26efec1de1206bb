import { Injectable } from '@nestjs/common';
import { CostlyReads, slicesOf } from '../database/costly-reads.js';
import { GroupsService } from '../groups/groups.service.js';
import { OfflineMessagesService } from '../offline-messages/offline-messages.service.js';
import type { User } from '../users/user.js';

/** What goes together with a user. */
export interface Belongings {
  readonly user: User;
  readonly groups: number;
  readonly rooms: number;
  /** Whatever their delivery state. */
  readonly offlineMessages: number;
}

const usersAtOnce = 50;

/** Answers what would be lost if users were deleted. */
@Injectable()
export class BelongingsService {
  constructor(
    private readonly groups: GroupsService,
    private readonly messages: OfflineMessagesService,
    private readonly costlyReads: CostlyReads,
  ) {}

  /** In the order of the users. @throws AppError rate_limited, overloaded */
  of(appId: string, users: readonly User[]): Promise<Belongings[]> {
    if (users.length === 0) return Promise.resolve([]);
    return this.costlyReads.run(appId, async () => {
      const found: Belongings[] = [];
      for await (const some of slicesOf(users, usersAtOnce)) {
        const uuids = some.map(({ uuid }) => uuid);
        const owned = await this.groups.countOwned(appId, uuids);
        const messages = await this.messages.countAll(appId, uuids);
        for (const [index, user] of some.entries()) {
          const { group = 0, room = 0 } = owned.get(user.uuid) ?? {};
          found.push({ user, groups: group, rooms: room, offlineMessages: messages[index] ?? 0 });
        }
      }
      return found;
    });
  }
}
