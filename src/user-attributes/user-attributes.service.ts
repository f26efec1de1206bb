import { Injectable } from '@nestjs/common';
import type { App } from '../apps/app.js';
import { AppError } from '../errors/app-error.js';
import { UserEvents } from '../users/user-events.js';
import { usernameKey } from '../users/username.js';
import { UsersService } from '../users/users.service.js';
import { type Attributes, changed } from './attribute-rules.js';
import { type StoredAttributes, UserAttributesRepository } from './user-attributes.repository.js';

export type { Attributes } from './attribute-rules.js';
export type { StoredAttributes } from './user-attributes.repository.js';

/** null: there is none of that name. */
export type AttributeValues = Readonly<Record<string, string | null>>;

/** Maximum users whose attributes one call may request. */
export const maxTargets = 100;

/** Owns user attributes: texts under names that the app chooses, visible to anyone who may see the user. */
@Injectable()
export class UserAttributesService {
  constructor(
    private readonly repository: UserAttributesRepository,
    private readonly users: UsersService,
    events: UserEvents,
  ) {
    events.onDeleteInTransaction((transaction, appId, users) =>
      this.repository.deleteAll(
        transaction,
        appId,
        users.map((user) => user.uuid),
      ),
    );
  }

  /**
   * Sets attributes; an empty value removes one, omitted ones stay. @returns all attributes afterwards
   * @throws AppError user_not_found, argument_invalid, attribute_too_long, attributes_too_large, attributes_full
   */
  async change(app: App, nameOrUuid: string, changes: Attributes): Promise<StoredAttributes> {
    const user = await this.users.get(app.id, nameOrUuid);
    return this.repository.change(app.id, user, (before) => changed(before, changes), checkUsageOf(app));
  }

  /**
   * Takes back a change, as the audit trail has it, if all of its attributes are still as it left them; null: none.
   * @throws AppError attributes_too_large, attributes_full
   */
  async restore(
    app: App,
    userUuid: string,
    before: AttributeValues,
    after: AttributeValues,
  ): Promise<'changed' | 'changed_since' | 'user_not_found'> {
    const user = await this.users.findByUuid(app.id, userUuid);
    if (user === null) return 'user_not_found';
    let result: 'changed' | 'changed_since' = 'changed_since';
    await this.repository.change(
      app.id,
      user,
      (now) => {
        const same = Object.entries(after).every(([name, value]) => (now.get(name) ?? null) === value);
        result = same ? 'changed' : 'changed_since';
        return same ? changed(now, new Map(Object.entries(before).map(([name, value]) => [name, value ?? '']))) : now;
      },
      checkUsageOf(app),
    );
    return result;
  }

  /** A user's attributes; null when there are none or the user is unknown. */
  async find(appId: string, nameOrUuid: string): Promise<StoredAttributes | null> {
    const user = await this.users.getIfThere(appId, nameOrUuid);
    if (user === null) return null;
    return (await this.repository.findAll(appId, [user.uuid])).get(user.uuid) ?? null;
  }

  /** As `find`, for up to 100 names in any case, in the given order. @throws AppError batch_too_large */
  async findAll(appId: string, names: readonly string[]): Promise<(StoredAttributes | null)[]> {
    if (names.length > maxTargets) throw new AppError('batch_too_large', { count: names.length, limit: maxTargets });
    const users = await this.users.findAll(appId, names);
    const uuids = new Map(users.map(({ username, uuid }) => [username, uuid]));
    const stored = await this.repository.findAll(appId, [...uuids.values()]);
    return names.map((name) => stored.get(uuids.get(usernameKey(name) ?? '') ?? '') ?? null);
  }

  /** Removes all attributes of a user; does nothing when there are none or the user is unknown. */
  async delete(appId: string, nameOrUuid: string): Promise<void> {
    const user = await this.users.getIfThere(appId, nameOrUuid);
    if (user !== null) await this.repository.delete(appId, user);
  }

  /** The total size of an app's attributes, in bytes. */
  usage(appId: string): Promise<number> {
    return this.repository.usage(appId);
  }
}

function checkUsageOf({ settings }: App): (usage: number) => void {
  const limit = settings.user_attributes_bytes;
  return (usage) => {
    if (usage > limit) throw new AppError('attributes_full', { limit });
  };
}
