import { Injectable } from '@nestjs/common';
import { LastSeenService } from '../last-seen/last-seen.service.js';
import { PresenceService } from '../presence/presence.service.js';
import { createdIn, everyName, nicknamesFrom, UserRangesService, usernamesFrom } from '../users/user-ranges.service.js';
import { UsersService } from '../users/users.service.js';
import { BannedSource, LastSeenSource, OnlineSource, positionOf, RangeSource } from './index-sources.js';
import type { Candidate, SearchSource } from './search-source.js';
import type { SortField, UserFilter } from './user-query.js';

/** Owns which filter has which index. */
@Injectable()
export class SearchSources {
  constructor(
    private readonly ranges: UserRangesService,
    private readonly users: UsersService,
    private readonly lastSeen: LastSeenService,
    private readonly presence: PresenceService,
  ) {}

  /** One for each part of a filter that has an index; null: nobody can match. */
  of(appId: string, { username = '', nickname = '', state, created, lastSeen }: UserFilter): SearchSource[] | null {
    const names = usernamesFrom(username);
    if (names === null) return null;
    return [
      ...(username === '' ? [] : [new RangeSource(this.ranges, appId, 'username', names)]),
      ...(nickname === '' ? [] : [new RangeSource(this.ranges, appId, 'nickname', nicknamesFrom(nickname))]),
      ...(created === undefined ? [] : [new RangeSource(this.ranges, appId, 'created', createdIn(created))]),
      ...(lastSeen === undefined ? [] : [new LastSeenSource(this.lastSeen, this.users, appId, lastSeen)]),
      ...(state === 'banned' ? [new BannedSource(this.ranges, this.users, appId)] : []),
      ...(state === 'online' ? [new OnlineSource(this.presence, this.users, appId)] : []),
    ];
  }

  /** Everybody in an order; by nickname and last seen, those who have one. */
  all(appId: string, by: SortField): SearchSource {
    switch (by) {
      case 'username':
        return new RangeSource(this.ranges, appId, by, everyName);
      case 'nickname':
        return new RangeSource(this.ranges, appId, by, nicknamesFrom(''));
      case 'created':
        return new RangeSource(this.ranges, appId, by, createdIn({}));
      case 'last_seen':
        return new LastSeenSource(this.lastSeen, this.users, appId, {});
    }
  }

  /** These candidates with their places in an order; those who have none there are left out. */
  async place(appId: string, candidates: readonly Candidate[], by: SortField): Promise<Candidate[]> {
    if (by !== 'last_seen')
      return candidates
        .map(({ user }) => ({ user, position: positionOf(by, user) }))
        .filter(({ position }) => position.key !== null);
    const uuids = candidates.map(({ user }) => user.uuid);
    const seen = await this.lastSeen.stored(appId, uuids);
    return candidates.flatMap(({ user }) => {
      const at = seen.get(user.uuid);
      return at === undefined ? [] : { user, position: { key: at, tie: user.uuid } };
    });
  }
}
