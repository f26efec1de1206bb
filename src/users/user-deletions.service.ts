import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { readCursor, writeCursor } from '../cursors/list-cursor.js';
import { AppError } from '../errors/app-error.js';
import type { User } from './user.js';
import { UserEvents } from './user-events.js';
import { UserWritesRepository } from './user-writes.repository.js';
import type { UserPage } from './users.service.js';
import { UsersService } from './users.service.js';

/** Owns the deletion of many users by one call, and what confirms that the caller knows whom it concerns. */
@Injectable()
export class UserDeletionsService {
  constructor(
    private readonly users: UsersService,
    private readonly writes: UserWritesRepository,
    private readonly events: UserEvents,
  ) {}

  /** Those whom `deleteOldest` would delete now. @throws AppError cursor_invalid */
  oldest(appId: string, limit: number, cursor: string | null): Promise<UserPage> {
    return this.users.list(appId, limit, cursor);
  }

  /**
   * Deletes the oldest `limit` users after the cursor.
   * @param confirmation `confirmationOf` exactly those users; null: whoever they are
   * @returns their last states
   * @throws AppError cursor_invalid, confirmation_mismatch: nobody was deleted
   */
  async deleteOldest(
    appId: string,
    limit: number,
    cursor: string | null,
    confirmation: string | null,
  ): Promise<UserPage> {
    const afterId = cursor === null ? 0 : readCursor(appId, cursor);
    const { deleted, lastId } = await this.writes.deleteAfter(appId, afterId, limit, (users) => {
      if (confirmation !== null) checkConfirmation(appId, confirmation, users);
    });
    for (const user of deleted) this.events.publish({ type: 'deleted', user });
    return { users: deleted, cursor: lastId === null ? null : writeCursor(appId, lastId) };
  }
}

/** A hash of exactly these users, whatever their order: somebody who has seen them can prove it. */
export function confirmationOf(appId: string, users: readonly Pick<User, 'uuid'>[]): string {
  const uuids = users.map(({ uuid }) => uuid).sort();
  return createHash('sha256')
    .update(`deletion ${appId} ${uuids.join(' ')}`)
    .digest('hex')
    .slice(0, 32);
}

/** @throws AppError confirmation_mismatch */
export function checkConfirmation(appId: string, confirmation: string, users: readonly Pick<User, 'uuid'>[]): void {
  if (confirmation !== confirmationOf(appId, users)) throw new AppError('confirmation_mismatch');
}
