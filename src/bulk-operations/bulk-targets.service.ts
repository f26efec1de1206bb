import { Injectable } from '@nestjs/common';
import { breathe, CostlyReads } from '../database/costly-reads.js';
import { AppError } from '../errors/app-error.js';
import { confirmationOf } from '../users/user-deletions.service.js';
import type { User } from '../users/user.js';
import { UserRevocationsService } from '../users/user-revocations.service.js';
import { UserWalksService, type WalkFilter } from '../users/user-walks.service.js';
import { UsersService } from '../users/users.service.js';
import { type Belongings, BelongingsService } from './belongings.service.js';
import type { BulkItem, BulkTerms } from './bulk-operation.js';

/** A name as the caller wrote it, and who has it. */
export interface NamedUser {
  readonly name: string;
  readonly user: User | null;
}

/** What an operation would do now. */
export interface BulkPreview {
  readonly total: number;
  readonly wouldChange: number;
  readonly unchanged: number;
  /** Names that nobody has. */
  readonly unknown: readonly string[];
  /** The first of those who would be changed; with what they own if they would be deleted. */
  readonly first: readonly (Belongings | { readonly user: User })[];
  /** False: only the first users of the app were looked at. */
  readonly complete: boolean;
  /** For a deletion of a few: proves that the caller has seen whom it concerns. */
  readonly confirmation: string | null;
}

/** Of changes that are only looked at. */
const previewed = { by: '', source: 'agora' } as const;
/** Names in one call. */
export const maxNamed = 1_000;
const maxShown = 100;
const namesAtOnce = 250;
const usersPerStep = 500;
/** Users whom a preview by filter looks at. */
const maxScanned = 200_000;

/** Finds the users that an operation concerns. */
@Injectable()
export class BulkTargetsService {
  constructor(
    private readonly users: UsersService,
    private readonly revocations: UserRevocationsService,
    private readonly walks: UserWalksService,
    private readonly belongings: BelongingsService,
    private readonly costlyReads: CostlyReads,
  ) {}

  /** @throws AppError rate_limited, overloaded */
  async preview(
    appId: string,
    terms: BulkTerms,
    target: { readonly usernames: readonly string[] | null; readonly filter: WalkFilter | null },
  ): Promise<BulkPreview> {
    const { action } = terms;
    const { users: named, complete } = await this.find(appId, target);
    const users = named.flatMap(({ user }) => user ?? []);
    const changing = users.filter(
      (user) => action === 'delete' || this.revocations.wouldChange(user, { action, terms, origin: previewed }),
    );
    const shown = changing.slice(0, maxShown);
    return {
      total: named.length,
      wouldChange: changing.length,
      unchanged: users.length - changing.length,
      unknown: named.flatMap(({ name, user }) => (user === null ? name : [])),
      first: action === 'delete' ? await this.belongings.of(appId, shown) : shown.map((user) => ({ user })),
      complete,
      confirmation: action === 'delete' && complete && users.length <= maxNamed ? confirmationOf(appId, users) : null,
    };
  }

  /** All of them, each once; not complete: after too many users that the filter does not apply to, or does. */
  async find(
    appId: string,
    { usernames, filter }: { readonly usernames: readonly string[] | null; readonly filter: WalkFilter | null },
  ): Promise<{ readonly users: readonly NamedUser[]; readonly complete: boolean }> {
    if (usernames !== null) return { users: await this.named(appId, usernames), complete: true };
    return this.costlyReads.run(appId, async () => {
      const users: NamedUser[] = [];
      let scanned = 0;
      let afterId: number | null = 0;
      while (afterId !== null && scanned < maxScanned) {
        const step = await this.walks.step(appId, filter ?? {}, afterId, usersPerStep);
        for (const user of step.users) users.push({ name: user.username, user });
        scanned += step.scanned;
        afterId = step.nextId;
        await breathe();
      }
      return { users, complete: afterId === null };
    });
  }

  /** Names that nobody has are items that have failed. */
  async itemsOf(appId: string, usernames: readonly string[]): Promise<BulkItem[]> {
    return this.toItems(await this.named(appId, usernames));
  }

  toItems(users: readonly NamedUser[]): BulkItem[] {
    return users.map(({ name, user }, index) => ({
      ...{ seq: index + 1, target: user?.username ?? name.slice(0, 255).toWellFormed(), userUuid: user?.uuid ?? null },
      ...(user === null ? { outcome: 'failed', code: 'user_not_found' } : { outcome: 'waiting', code: null }),
    }));
  }

  /** Each user once, also if the names differ in case, or a name and a uuid are of the same one. */
  private async named(appId: string, usernames: readonly string[]): Promise<NamedUser[]> {
    if (usernames.length === 0 || usernames.length > maxNamed)
      throw new AppError('batch_too_large', { count: usernames.length, limit: maxNamed });
    const found = new Map<string, NamedUser>();
    for (let start = 0; start < usernames.length; start += namesAtOnce) {
      const names = usernames.slice(start, start + namesAtOnce);
      const users = await this.users.findEach(appId, names);
      for (const [index, name] of names.entries()) {
        const user = users[index] ?? null;
        const key = user?.uuid ?? name.toLowerCase();
        if (!found.has(key)) found.set(key, { name, user });
      }
    }
    return [...found.values()];
  }
}
