import { Injectable } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { breathe, CostlyReads } from '../database/costly-reads.js';
import type { User } from '../users/user.js';
import { UserEvents } from '../users/user-events.js';
import { UsersService } from '../users/users.service.js';
import { checkDurations, endOf, type Mute, type MuteDurations, withDurations } from './mute.js';
import { type MutedUser, MutesRepository } from './mutes.repository.js';

/** A user with at least one mute. */
export interface UserMute {
  readonly user: User;
  readonly mute: Mute;
}

/** Number of muted users that can be paged through; later pages are empty. */
export const maxPagedMutes = 10_000;
const rowsAtOnce = 500;

/** Owns who may not send, and until when. A mute counts as lifted from the exact millisecond it ends. */
@Injectable()
export class MutesService {
  constructor(
    private readonly repository: MutesRepository,
    private readonly users: UsersService,
    private readonly clock: Clock,
    private readonly costlyReads: CostlyReads,
    private readonly events: UserEvents,
  ) {}

  /**
   * Mutes a user for the given seconds from now, or lifts mutes; omitted kinds stay as they are. The user's sessions on
   * every node are notified.
   * @throws AppError user_not_found, argument_invalid
   */
  async set(appId: string, nameOrUuid: string, durations: MuteDurations): Promise<void> {
    checkDurations(durations);
    const user = await this.users.get(appId, nameOrUuid);
    const now = this.clock.now();
    await this.repository.change(user, (before) => withDurations(before, durations, now));
    this.events.publish({ type: 'mute_changed', user });
  }

  /** @throws AppError user_not_found */
  async get(appId: string, nameOrUuid: string): Promise<UserMute> {
    const user = await this.users.get(appId, nameOrUuid);
    return { user, mute: await this.repository.find(appId, user.uuid) };
  }

  /** Until when the user may not send one-to-one messages, in Unix milliseconds; may be past. */
  async chatMutedUntil(appId: string, userUuid: string): Promise<number> {
    return (await this.repository.find(appId, userUuid)).chat;
  }

  /**
   * A page of the muted users by uuid, an order that is stable while mutes come and go. Pages beyond 10,000 users are
   * empty and cost nothing.
   * @param page 1 for the first
   */
  async list(appId: string, page: number, limit: number): Promise<UserMute[]> {
    if (page * limit > maxPagedMutes) return [];
    const muted = await this.walk(appId, page * limit);
    const shown = muted.slice((page - 1) * limit, page * limit);
    const users = await this.users.findAllByUuid(
      appId,
      shown.map(({ userUuid }) => userUuid),
    );
    return shown.flatMap(({ userUuid, mute }) => {
      const user = users.get(userUuid);
      return user === undefined ? [] : { user, mute };
    });
  }

  /** The first `count` muted users. Expired mutes may still be in the table, so more rows may be read. */
  private async walk(appId: string, count: number): Promise<MutedUser[]> {
    const now = this.clock.now();
    const found: MutedUser[] = [];
    let afterUuid: string | undefined = '';
    const step = async (from: string): Promise<void> => {
      const rows = await this.repository.listAfter(appId, from, rowsAtOnce);
      found.push(...rows.filter(({ mute }) => endOf(mute) > now));
      afterUuid = rows.length === rowsAtOnce && found.length < count ? rows.at(-1)?.userUuid : undefined;
    };
    await step(afterUuid);
    if (afterUuid !== undefined)
      await this.costlyReads.run(appId, async () => {
        while (afterUuid !== undefined) {
          await breathe();
          await step(afterUuid);
        }
      });
    return found;
  }
}
