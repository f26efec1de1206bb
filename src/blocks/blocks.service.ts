import { Injectable } from '@nestjs/common';
import { readCursor, writeCursor } from '../cursors/list-cursor.js';
import type { Transaction } from '../database/database.js';
import { AppError } from '../errors/app-error.js';
import type { User } from '../users/user.js';
import { UsersService } from '../users/users.service.js';
import { BlocksRepository } from './blocks.repository.js';

/** The users that a user has blocked, newest first. */
export interface BlockPage {
  readonly users: readonly User[];
  /** Where the next page begins; null when there is none. */
  readonly cursor: string | null;
}

/** A change to a block list: its user, and the users the caller named, without duplicates. */
export interface BlockChange {
  readonly user: User;
  readonly blocked: readonly User[];
}

/** A message on its way to a user who has blocked someone. */
export interface Attempt {
  readonly receiverUuid: string;
  /** A folded name; the user need not exist. */
  readonly sender: string;
}

/** Maximum blocks per user, as set by the vendor. */
export const maxBlocks = 500;

/** Owns blocks between users. Keyed by uuid: a user who takes over a freed name is not blocked. */
@Injectable()
export class BlocksService {
  constructor(
    private readonly repository: BlocksRepository,
    private readonly users: UsersService,
  ) {}

  /**
   * Makes a user block others; existing blocks stay. Messages they send from then on do not reach the user.
   * @param names usernames or uuids
   * @throws AppError user_not_found (any of them: then no one is blocked), argument_invalid (oneself),
   *   block_limit_exceeded, batch_too_large
   */
  async block(appId: string, nameOrUuid: string, names: readonly string[]): Promise<BlockChange> {
    const change = await this.find(appId, nameOrUuid, names);
    if (change.blocked.some(({ uuid }) => uuid === change.user.uuid))
      throw new AppError('argument_invalid', { detail: 'a user cannot block itself' });
    await this.repository.add(change.user, change.blocked, maxBlocks);
    return change;
  }

  /** Removes blocks; other users are skipped. @throws AppError user_not_found (any of them), batch_too_large */
  async unblock(appId: string, nameOrUuid: string, names: readonly string[]): Promise<BlockChange> {
    const change = await this.find(appId, nameOrUuid, names);
    if (change.blocked.length > 0) await this.repository.remove(change.user, change.blocked);
    return change;
  }

  /** @param limit up to 500 @throws AppError user_not_found, cursor_invalid */
  async list(appId: string, nameOrUuid: string, limit: number, cursor: string | null): Promise<BlockPage> {
    const beforeId = cursor === null ? Number.MAX_SAFE_INTEGER : readCursor(appId, cursor);
    const user = await this.users.get(appId, nameOrUuid);
    const found = await this.repository.listBefore(user, beforeId, limit + 1);
    const page = found.slice(0, limit);
    const users = await this.users.findAllByUuid(
      appId,
      page.map(({ blockedUuid }) => blockedUuid),
    );
    return {
      users: page.flatMap(({ blockedUuid }) => users.get(blockedUuid) ?? []),
      cursor: found.length > limit ? writeCursor(appId, page.at(-1)?.id ?? 0) : null,
    };
  }

  /** Whether the user has blocked the other one. */
  async has(user: User, other: User): Promise<boolean> {
    return (await this.repository.blockedAmong(null, user, [other])).length > 0;
  }

  /**
   * Whether the user has blocked each name, in the given order; false for unknown names.
   * @throws AppError user_not_found (the user)
   */
  async check(appId: string, nameOrUuid: string, names: readonly string[]): Promise<boolean[]> {
    const user = await this.users.get(appId, nameOrUuid);
    const others = await this.users.findEach(appId, names);
    const known = others.filter((other) => other !== null);
    const blocked = new Set(await this.repository.blockedAmong(null, user, known));
    return others.map((other) => other !== null && blocked.has(other.uuid));
  }

  /**
   * The attempts whose receiver has blocked the sender: for the transaction that stores the messages and has locked the
   * receivers. Takes two statements, so ask only for receivers who have blocked someone.
   */
  async refused(transaction: Transaction, appId: string, attempts: readonly Attempt[]): Promise<ReadonlySet<string>> {
    if (attempts.length === 0) return new Set();
    const senders = [...new Set(attempts.map(({ sender }) => sender))].sort();
    const uuids = await this.repository.uuidsByName(transaction, appId, senders);
    const pairs = new Map<string, [string, string]>();
    for (const attempt of attempts) {
      const senderUuid = uuids.get(attempt.sender);
      if (senderUuid !== undefined) pairs.set(keyOf(attempt), [attempt.receiverUuid, senderUuid]);
    }
    const blocked = await this.repository.pairsAmong(transaction, appId, [...pairs.values()]);
    const refused = new Set(blocked.map((pair) => pair.join()));
    return new Set([...pairs].flatMap(([key, pair]) => (refused.has(pair.join()) ? key : [])));
  }

  private async find(appId: string, nameOrUuid: string, names: readonly string[]): Promise<BlockChange> {
    if (names.length > maxBlocks) throw new AppError('batch_too_large', { count: names.length, limit: maxBlocks });
    const user = await this.users.get(appId, nameOrUuid);
    const blocked = new Map<string, User>();
    for (const other of await this.users.findEach(appId, names)) {
      if (other === null) throw new AppError('user_not_found');
      blocked.set(other.uuid, other);
    }
    return { user, blocked: [...blocked.values()] };
  }
}

/** The key by which `refused` identifies an attempt. */
export function keyOf({ receiverUuid, sender }: Attempt): string {
  return `${receiverUuid} ${sender}`;
}
