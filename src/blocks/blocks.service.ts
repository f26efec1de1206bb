import { Injectable } from '@nestjs/common';
import { readCursor, writeCursor } from '../cursors/list-cursor.js';
import type { Transaction } from '../database/database.js';
import { AppError } from '../errors/app-error.js';
import type { User } from '../users/user.js';
import { UsersService } from '../users/users.service.js';
import { BlocksRepository } from './blocks.repository.js';

/** Whom a user has blocked, newest first. */
export interface BlockPage {
  readonly users: readonly User[];
  /** Where the next page begins; null: there is none. */
  readonly cursor: string | null;
}

/** A change of a list of blocks: whose it is, and whom the caller has named, each once. */
export interface BlockChange {
  readonly user: User;
  readonly blocked: readonly User[];
}

/** A message on its way to a user who has blocked somebody. */
export interface Attempt {
  readonly receiverUuid: string;
  /** A folded name; it need not be a user's. */
  readonly sender: string;
}

/** Users whom one user may have blocked, as the vendor has it. */
export const maxBlocks = 500;

/** Owns who takes no messages of whom. It goes by uuids: who gets a name that became free is not blocked. */
@Injectable()
export class BlocksService {
  constructor(
    private readonly repository: BlocksRepository,
    private readonly users: UsersService,
  ) {}

  /**
   * Has a user block others; who is blocked already stays so. What is sent from then on does not reach the user.
   * @param names of users, or their uuids
   * @throws AppError user_not_found (any of them: then nobody is blocked), argument_invalid (oneself),
   *   block_limit_exceeded, batch_too_large
   */
  async block(appId: string, nameOrUuid: string, names: readonly string[]): Promise<BlockChange> {
    const change = await this.find(appId, nameOrUuid, names);
    if (change.blocked.some(({ uuid }) => uuid === change.user.uuid))
      throw new AppError('argument_invalid', { detail: 'a user cannot block itself' });
    await this.repository.add(change.user, change.blocked, maxBlocks);
    return change;
  }

  /** Ends blocks; who is not blocked stays so. @throws AppError user_not_found (any of them), batch_too_large */
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

  /**
   * Whether the user has blocked each of these, in their order; of a name that nobody has: no.
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
   * Those of the attempts where the receiver has blocked the sender: for the transaction that stores the messages, and
   * that has locked the receivers. Two statements, so ask only for receivers who have blocked somebody.
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

/** How `refused` names an attempt. */
export function keyOf({ receiverUuid, sender }: Attempt): string {
  return `${receiverUuid} ${sender}`;
}
