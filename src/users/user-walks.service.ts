import { Injectable } from '@nestjs/common';
import { firstIdAt } from '../ids/time-ordered-ids.js';
import type { User } from './user.js';
import type { TimeRange } from './user-ranges.service.js';
import { foldUsername } from './username.js';
import { UsersRepository } from './users.repository.js';

/** Users to whom all of it applies. */
export interface WalkFilter {
  readonly state?: 'active' | 'banned' | undefined;
  /** What the name begins with, in any case. */
  readonly username?: string | undefined;
  readonly created?: TimeRange | undefined;
}

export interface WalkStep {
  readonly users: readonly User[];
  /** The id after which the next step continues; null: that was all. */
  readonly nextId: number | null;
  /** How many users were looked at. */
  readonly scanned: number;
}

/** How far an id may be ahead of the time of its registration: a node that draws many uses those of times to come. */
const idLeadMs = 3_600_000;

/** Walks over all users of an app in small steps, in the order of their registration, so that none is met twice. */
@Injectable()
export class UserWalksService {
  constructor(private readonly repository: UsersRepository) {}

  /** Looks at up to `limit` users after an id, and returns those to whom the filter applies. */
  async step(appId: string, filter: WalkFilter, afterId: number, limit: number): Promise<WalkStep> {
    const firstId = Math.min(Math.max(0, firstIdAt(filter.created?.from ?? 0) - 1), Number.MAX_SAFE_INTEGER);
    const { below } = filter.created ?? {};
    const lastId = below === undefined ? Infinity : firstIdAt(below + idLeadMs);
    const found = await this.repository.listAfter(appId, Math.max(afterId, firstId), limit);
    const last = found.at(-1);
    const more = found.length === limit && last !== undefined && last.id < lastId;
    return {
      users: found.filter((user) => applies(filter, user)),
      nextId: more ? last.id : null,
      scanned: found.length,
    };
  }
}

function applies({ state, username, created: { from, below } = {} }: WalkFilter, user: User): boolean {
  return (
    (state === undefined || user.activated === (state === 'active')) &&
    (username === undefined || user.username.startsWith(foldUsername(username))) &&
    (from === undefined || user.createdAt >= from) &&
    (below === undefined || user.createdAt < below)
  );
}
