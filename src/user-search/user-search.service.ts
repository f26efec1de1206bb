import { Injectable } from '@nestjs/common';
import { readQueryCursor, writeQueryCursor } from '../cursors/query-cursor.js';
import { breathe, CostlyReads } from '../database/costly-reads.js';
import type { KeyPosition } from '../database/key-range.js';
import { LastSeenService } from '../last-seen/last-seen.service.js';
import { PresenceService } from '../presence/presence.service.js';
import type { User } from '../users/user.js';
import { type Candidate, type SearchSource } from './search-source.js';
import { SearchSources } from './search-sources.js';
import { sortedFrom } from './sorted-candidates.js';
import { UserMatcher } from './user-matcher.js';
import { checkFilter, type UserFilter, type UserQuery, type UserSort } from './user-query.js';

/** Index entries that one call reads at most. */
export const maxScanned = 5_000;
const entriesPerStep = 250;
/** Order of registration. */
const everybody: UserSort = { by: 'created', descending: false };

/** A user that was found. Times are Unix milliseconds. */
export interface FoundUser {
  readonly user: User;
  /** As stored: up to five minutes old for a user who is online; null: never. */
  readonly lastSeenAt: number | null;
  readonly online: boolean;
}

export interface FoundUsers {
  readonly users: readonly FoundUser[];
  /** Where the search continues; null: nothing is left. */
  readonly cursor: string | null;
  /** How many index entries were read. */
  readonly scanned: number;
  /**
   * False if the page has fewer users than asked for although others may match: so many entries were read that the
   * cursor has to go on, or presence on other nodes is unknown because Redis is unavailable.
   */
  readonly complete: boolean;
}

interface Found extends Omit<FoundUsers, 'users' | 'cursor'> {
  readonly candidates: readonly Candidate[];
  readonly next: KeyPosition | null;
  readonly source: string;
}

/** What a cursor holds. */
type Place = readonly [source: string, key: string | number, tie: string | number | null];

/** Owns the search for users: which index answers, what is filtered by reading, and how much one call may read. */
@Injectable()
export class UserSearchService {
  constructor(
    private readonly sources: SearchSources,
    private readonly lastSeen: LastSeenService,
    private readonly presence: PresenceService,
    private readonly costlyReads: CostlyReads,
  ) {}

  /**
   * A page of the users for whom the whole filter holds. One filter, or none, is a walk over its index. Several take
   * the most selective index and read at most 5,000 of its entries.
   * @param cursor of the page before, for the same query
   * @throws AppError argument_invalid, cursor_invalid, rate_limited, overloaded
   */
  async find(appId: string, query: UserQuery, limit: number, cursor: string | null): Promise<FoundUsers> {
    const { candidates, next, source, ...found } = await this.findCandidates(appId, query, limit, cursor);
    const users = candidates.map(({ user }) => user);
    const names = users.map(({ username }) => username);
    const [seen, online] = await Promise.all([
      this.lastSeen.stored(
        appId,
        users.map(({ uuid }) => uuid),
      ),
      this.matcher(query.filter).onlineOf(appId, names),
    ]);
    const scope = scopeOf(appId, query);
    return {
      ...found,
      users: users.map((user) => ({
        ...{ user, lastSeenAt: seen.get(user.uuid) ?? null, online: online.has(user.username) },
      })),
      cursor: next === null ? null : writeQueryCursor(scope, [source, next.key, next.tie] as Place),
    };
  }

  private async findCandidates(appId: string, query: UserQuery, limit: number, cursor: string | null): Promise<Found> {
    const { filter } = query;
    checkFilter(filter);
    const place = cursor === null ? null : (readQueryCursor(scopeOf(appId, query), cursor) as Place);
    const after = place === null ? null : { key: place[1], tie: place[2] };
    const sources = this.sources.of(appId, filter);
    if (sources === null) return { candidates: [], next: null, source: '', scanned: 0, complete: true };
    // A single filter is answered by its index alone.
    const isPlain =
      (query.sort === null || sources.every(({ order }) => order === query.sort?.by)) &&
      (filter.state === 'active' ? 1 : 0) + sources.length <= 1;
    const find = () => this.findIn(appId, query, sources, place?.[0] ?? null, after, limit, isPlain);
    return isPlain ? find() : this.costlyReads.run(appId, find);
  }

  private async findIn(
    appId: string,
    { filter, sort }: UserQuery,
    sources: readonly SearchSource[],
    begun: string | null,
    after: KeyPosition | null,
    limit: number,
    isPlain: boolean,
  ): Promise<Found> {
    const own = sort === null ? null : (sources.find(({ order }) => order === sort.by) ?? null);
    const ordered = (by: UserSort) => own ?? this.sources.all(appId, by.by);
    const matcher = this.matcher(filter);
    if (sort === null) {
      const source = sources.find(({ name }) => name === begun) ?? (await mostSelective(sources))?.source;
      return this.walk(appId, matcher, source ?? ordered(everybody), false, after, limit, isPlain);
    }
    const smallest = isPlain ? null : await mostSelective(sources);
    if (smallest === null || smallest.source === own || smallest.entries > maxScanned)
      return this.walk(appId, matcher, ordered(sort), sort.descending, after, limit, isPlain);
    return this.sortAll(appId, matcher, smallest.source, sort, after, limit);
  }

  /** Walks until one more user is found than asked for, the source ends, or enough was read. */
  private async walk(
    appId: string,
    matcher: UserMatcher,
    source: SearchSource,
    descending: boolean,
    after: KeyPosition | null,
    limit: number,
    isPlain: boolean,
  ): Promise<Found> {
    const found: Candidate[] = [];
    let next = after;
    let scanned = 0;
    let complete = true;
    do {
      if (scanned > 0) await breathe();
      const wanted = isPlain ? limit + 1 - found.length : entriesPerStep;
      const step = await source.walk({ descending, after: next, limit: Math.min(wanted, maxScanned - scanned) });
      found.push(...(await matcher.matching(appId, step.candidates, source.name)));
      scanned += step.read;
      complete &&= step.complete;
      next = step.next;
    } while (next !== null && found.length <= limit && scanned < maxScanned);
    const candidates = found.slice(0, limit);
    if (found.length > limit) next = candidates.at(-1)?.position ?? null;
    const isCut = next !== null && candidates.length < limit;
    return { candidates, next, source: source.name, scanned, complete: complete && !isCut };
  }

  /** Reads a whole source that is small, because no walk over it has the order that was asked for. */
  private async sortAll(
    appId: string,
    matcher: UserMatcher,
    source: SearchSource,
    sort: UserSort,
    after: KeyPosition | null,
    limit: number,
  ): Promise<Found> {
    const all: Candidate[] = [];
    let scanned = 0;
    let complete = true;
    for (let next: KeyPosition | null = null, more = true; more;) {
      if (scanned > 0) await breathe();
      const step = await source.walk({ descending: false, after: next, limit: entriesPerStep });
      const matching = await matcher.matching(appId, step.candidates, source.name);
      all.push(...(await this.sources.place(appId, matching, sort.by)));
      scanned += step.read;
      // It has grown since it was counted.
      complete &&= step.complete && (step.next === null || scanned < maxScanned + entriesPerStep);
      next = step.next;
      more = next !== null && scanned < maxScanned + entriesPerStep;
    }
    const sorted = sortedFrom(all, sort.descending, after);
    const candidates = sorted.slice(0, limit);
    const next = sorted.length > limit ? (candidates.at(-1)?.position ?? null) : null;
    return { candidates, next, source: sort.by, scanned, complete };
  }

  private matcher(filter: UserFilter): UserMatcher {
    return new UserMatcher(filter, this.lastSeen, this.presence);
  }
}

/** Counting ends where a walk would: beyond that, they are all the same. */
async function mostSelective(
  sources: readonly SearchSource[],
): Promise<{ source: SearchSource; entries: number } | null> {
  const [only] = sources;
  if (only === undefined) return null;
  const counts = await Promise.all(
    sources.map(async (source) => ({ source, entries: await source.count(maxScanned + 1) })),
  );
  return counts.reduce((least, one) => (one.entries < least.entries ? one : least));
}

function scopeOf(appId: string, { filter, sort }: UserQuery): string {
  const { username, nickname, state, created, lastSeen } = filter;
  return JSON.stringify([
    ...['user search', appId, username, nickname, state, created?.from, created?.below],
    ...[lastSeen?.from, lastSeen?.below, sort?.by, sort?.descending],
  ]);
}
