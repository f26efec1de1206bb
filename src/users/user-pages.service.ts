import { Injectable } from '@nestjs/common';
import { AppError } from '../errors/app-error.js';
import type { User } from './user.js';
import { isIndexed, type UserOrder } from './user-order.js';
import { UserPagesRepository } from './user-pages.repository.js';
import { UsersRepository } from './users.repository.js';

export interface NumberedPage {
  readonly users: readonly User[];
  /** How many users the app has, or how many were found. */
  readonly total: number;
}

/** Without an index, each page reads every user of the app: above this, a page would take too long. */
const maxSortedUsers = 100_000;
const maxPlainPage = 500;

/** Whether a page reads every user of the app, or is very long itself. */
export function isCostlyPage(order: UserOrder, limit: number, search: string): boolean {
  return isSorted(order) || limit > maxPlainPage || search !== '';
}

function isSorted([first]: UserOrder): boolean {
  return first !== undefined && !isIndexed(first.by);
}

/** Owns the numbered pages of users, in any order, and the limits on their cost. */
@Injectable()
export class UserPagesService {
  constructor(
    private readonly repository: UserPagesRepository,
    private readonly users: UsersRepository,
  ) {}

  /**
   * The users on a numbered page (1: the first). Any page by id or username costs the same; other orders are limited to
   * apps of up to 100,000 users. A page far from both ends may miss changes of the last 60 s. Run it as a costly read
   * if `isCostlyPage`.
   * @param search text in the name or nickname, in any case; `''`: all users. Limited to such small apps as well
   * @throws AppError argument_invalid
   */
  async list(appId: string, order: UserOrder, page: number, limit: number, search: string): Promise<NumberedPage> {
    const total = await this.users.count(appId);
    if (total > maxSortedUsers && search !== '') throw tooManyUsers('cannot be searched');
    if (total > maxSortedUsers && isSorted(order))
      throw tooManyUsers('can be ordered by id, time of registration or name only');
    if (search !== '') {
      const found = await this.repository.search(appId, search, order, { offset: (page - 1) * limit, limit });
      return { users: await this.users.findAll(appId, found.usernames), total: found.total };
    }
    const usernames = await this.repository.usernamesAt(appId, order, { offset: (page - 1) * limit, limit, total });
    return { users: await this.users.findAll(appId, usernames), total };
  }
}

function tooManyUsers(consequence: string): AppError {
  return new AppError('argument_invalid', { detail: `an app of over ${maxSortedUsers} users ${consequence}` });
}
