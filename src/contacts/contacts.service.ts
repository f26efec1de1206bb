import { Injectable } from '@nestjs/common';
import type { App } from '../apps/app.js';
import { BlocksService } from '../blocks/blocks.service.js';
import { readCursor, writeCursor } from '../cursors/list-cursor.js';
import { breathe, CostlyReads } from '../database/costly-reads.js';
import { AppError } from '../errors/app-error.js';
import type { User } from '../users/user.js';
import { UsersService } from '../users/users.service.js';
import { type Contact, type Friendship, maxContactsPerUser } from './contact.js';
import type { ContactListRow } from './contact-list.entity.js';
import { ContactsRepository } from './contacts.repository.js';

export interface ContactPage {
  /** Newest first. */
  readonly contacts: readonly Contact[];
  /** Where the next page begins; null when there is none. */
  readonly cursor: string | null;
}

/** The names of an import, as the caller wrote them. */
export interface ContactImport {
  /** New contacts, and those that already were. */
  readonly added: readonly string[];
  readonly unknown: readonly string[];
  /** The user's list or the friend's list has no room. */
  readonly full: readonly string[];
  /** The user's own name. */
  readonly refused: readonly string[];
}

export const maxImported = 10;
const maxRemarkLength = 100;
const contactsAtOnce = 500;

/**
 * Owns contacts, which are always mutual, and the names users give them. Keyed by uuid: a user who takes over a freed
 * name has no contacts.
 */
@Injectable()
export class ContactsService {
  constructor(
    private readonly repository: ContactsRepository,
    private readonly users: UsersService,
    private readonly blocks: BlocksService,
    private readonly costlyReads: CostlyReads,
  ) {}

  /**
   * Makes two users contacts of each other; existing contacts stay.
   * @throws AppError user_not_found, argument_invalid (oneself), contact_limit_exceeded (of either)
   */
  async add(app: App, nameOrUuid: string, friendNameOrUuid: string): Promise<Friendship> {
    return this.join(app, await this.find(app.id, nameOrUuid, friendNameOrUuid));
  }

  /**
   * As `add`, but requested by the user, not the app's server: a friend who has blocked the user is not added.
   * @throws AppError sender_blocked, and as `add`
   */
  async addByUser(app: App, nameOrUuid: string, friendNameOrUuid: string): Promise<Friendship> {
    const friendship = await this.find(app.id, nameOrUuid, friendNameOrUuid);
    if (await this.blocks.has(friendship.friend, friendship.user)) throw new AppError('sender_blocked');
    return this.join(app, friendship);
  }

  /**
   * Adds up to 10 friends, each independently.
   * @throws AppError user_not_found (the user), contact_limit_exceeded (the user had no room for any), batch_too_large
   */
  async import(app: App, nameOrUuid: string, names: readonly string[]): Promise<ContactImport> {
    if (names.length > maxImported) throw new AppError('batch_too_large', { count: names.length, limit: maxImported });
    const user = await this.users.get(app.id, nameOrUuid);
    const found = await this.users.findEach(app.id, names);
    const friends = new Map<string, User>();
    for (const friend of found) if (friend !== null && friend.uuid !== user.uuid) friends.set(friend.uuid, friend);
    const { contacts_per_user: limit } = app.settings;
    const outcomes = friends.size === 0 ? [] : await this.repository.add(user, [...friends.values()], limit);
    const outcomeOf = new Map([...friends.keys()].map((uuid, index) => [uuid, outcomes[index]]));
    const full = outcomes.length > 0 && outcomes.every((outcome) => outcome === 'full');
    if (full && ((await this.repository.findList(user))?.contacts ?? 0) >= limit)
      throw new AppError('contact_limit_exceeded', { limit });
    const named = (isMeant: (friend: User | null) => boolean): string[] =>
      names.filter((_name, index) => isMeant(found[index] ?? null));
    return {
      added: named((friend) => friend !== null && ['added', 'present'].includes(outcomeOf.get(friend.uuid) ?? '')),
      unknown: named((friend) => friend === null),
      full: named((friend) => friend !== null && outcomeOf.get(friend.uuid) === 'full'),
      refused: named((friend) => friend?.uuid === user.uuid),
    };
  }

  /** Removes the contact on both sides, if there is one. @throws AppError user_not_found */
  async remove(appId: string, nameOrUuid: string, friendNameOrUuid: string): Promise<Friendship> {
    const friendship = await this.find(appId, nameOrUuid, friendNameOrUuid);
    await this.repository.remove(friendship);
    return friendship;
  }

  /** Removes all contacts of a user at once. @throws AppError user_not_found */
  async clear(appId: string, nameOrUuid: string): Promise<void> {
    await this.repository.clear(await this.users.get(appId, nameOrUuid));
  }

  /**
   * Sets the user's own name for the friend; an empty text removes it.
   * @throws AppError user_not_found, contact_not_found, argument_invalid
   */
  async setRemark(appId: string, nameOrUuid: string, friendNameOrUuid: string, remark: string): Promise<void> {
    if (!remark.isWellFormed() || remark.includes('\0'))
      throw new AppError('argument_invalid', { detail: 'remark must be well-formed Unicode text' });
    if ([...remark].length > maxRemarkLength)
      throw new AppError('argument_invalid', { detail: `remark must be at most ${maxRemarkLength} characters` });
    const friendship = await this.find(appId, nameOrUuid, friendNameOrUuid);
    if (!(await this.repository.setRemark(friendship, remark === '' ? null : remark)))
      throw new AppError('contact_not_found');
  }

  /** @throws AppError user_not_found, cursor_invalid */
  async list(appId: string, nameOrUuid: string, limit: number, cursor: string | null): Promise<ContactPage> {
    const beforeId = cursor === null ? Number.MAX_SAFE_INTEGER : readCursor(appId, cursor);
    const user = await this.users.get(appId, nameOrUuid);
    const own = await this.repository.findList(user);
    const found = own === null ? [] : await this.repository.listBefore(own, beforeId, limit + 1);
    const contacts = found.slice(0, limit);
    return { contacts, cursor: found.length > limit ? writeCursor(appId, contacts.at(-1)?.id ?? 0) : null };
  }

  /** All contacts of a user, newest first. @throws AppError user_not_found, rate_limited, overloaded */
  async listAll(appId: string, nameOrUuid: string): Promise<Contact[]> {
    const list = await this.repository.findList(await this.users.get(appId, nameOrUuid));
    if (list === null) return [];
    const read = (): Promise<Contact[]> => this.readAll(list);
    return list.contacts > contactsAtOnce ? this.costlyReads.run(appId, read) : read();
  }

  /**
   * Whether each name is a contact of the user, in the given order; unknown names are not.
   * @throws AppError user_not_found (the user)
   */
  async check(appId: string, nameOrUuid: string, names: readonly string[]): Promise<boolean[]> {
    const user = await this.users.get(appId, nameOrUuid);
    const others = await this.users.findEach(appId, names);
    const contacts = await this.repository.contactsAmong(
      user,
      others.filter((other) => other !== null),
    );
    return others.map((other) => other !== null && contacts.has(other.uuid));
  }

  private async join(app: App, friendship: Friendship): Promise<Friendship> {
    const { user, friend } = friendship;
    if (user.uuid === friend.uuid)
      throw new AppError('argument_invalid', { detail: 'a user cannot be a contact of itself' });
    const [outcome] = await this.repository.add(user, [friend], app.settings.contacts_per_user);
    if (outcome === 'full') throw new AppError('contact_limit_exceeded', { limit: app.settings.contacts_per_user });
    return friendship;
  }

  private async readAll(list: ContactListRow): Promise<Contact[]> {
    const contacts: Contact[] = [];
    for (let beforeId = Number.MAX_SAFE_INTEGER; contacts.length < maxContactsPerUser;) {
      const some = await this.repository.listBefore(list, beforeId, contactsAtOnce);
      contacts.push(...some);
      if (some.length < contactsAtOnce) break;
      beforeId = contacts.at(-1)?.id ?? 0;
      await breathe();
    }
    return contacts;
  }

  private async find(appId: string, nameOrUuid: string, friendNameOrUuid: string): Promise<Friendship> {
    const [user, friend] = await this.users.findEach(appId, [nameOrUuid, friendNameOrUuid]);
    if (user == null || friend == null) throw new AppError('user_not_found');
    return { user, friend };
  }
}
