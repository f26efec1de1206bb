import type { KeyPosition } from '../database/key-range.js';
import type { LastSeenService } from '../last-seen/last-seen.service.js';
import type { PresenceService } from '../presence/presence.service.js';
import { nicknameKey } from '../users/nickname-key.js';
import type { User } from '../users/user.js';
import type { TimeRange, UserRange, UserRangesService } from '../users/user-ranges.service.js';
import type { UsersService } from '../users/users.service.js';
import { type SearchSource, type SourceStep, type SourceWalk, stepOf } from './search-source.js';
import type { SortField } from './user-query.js';

const positions = {
  username: ({ username }: User): KeyPosition => ({ key: username, tie: null }),
  nickname: ({ nickname, id }: User): KeyPosition => ({ key: nicknameKey(nickname), tie: id }),
  created: ({ createdAt, id }: User): KeyPosition => ({ key: createdAt, tie: id }),
};

/** A user's place in an order of the index of users. */
export function positionOf(order: Exclude<SortField, 'last_seen'>, user: User): KeyPosition {
  return positions[order](user);
}

/** Users in a range of an index of their table. */
export class RangeSource implements SearchSource {
  constructor(
    private readonly ranges: UserRangesService,
    private readonly appId: string,
    readonly order: Exclude<SortField, 'last_seen'>,
    private readonly range: UserRange,
  ) {}

  get name(): string {
    return this.order;
  }

  count(max: number): Promise<number> {
    return this.ranges.count(this.appId, this.range, max);
  }

  async walk(walk: SourceWalk): Promise<SourceStep> {
    const users = await this.ranges.walk(this.appId, this.range, walk);
    const candidates = users.map((user) => ({ user, position: positionOf(this.order, user) }));
    return stepOf(
      candidates.map(({ position }) => position),
      walk.limit,
      candidates,
    );
  }
}

/** Users by when they were last seen. */
export class LastSeenSource implements SearchSource {
  readonly name = 'last_seen';
  readonly order = 'last_seen';
  private readonly range: { from: number; below: number };

  constructor(
    private readonly lastSeen: LastSeenService,
    private readonly users: UsersService,
    private readonly appId: string,
    { from = 0, below = Number.MAX_SAFE_INTEGER }: TimeRange,
  ) {
    this.range = { from, below };
  }

  count(max: number): Promise<number> {
    return this.lastSeen.count(this.appId, this.range, max);
  }

  async walk({ after, ...walk }: SourceWalk): Promise<SourceStep> {
    const seen = await this.lastSeen.walk(this.appId, {
      ...walk,
      range: this.range,
      after: after === null ? null : { key: Number(after.key), tie: after.tie },
    });
    const users = await this.users.findAllByUuid(
      this.appId,
      seen.map(({ uuid }) => uuid),
    );
    const read = seen.map(({ uuid, at }) => ({ key: at, tie: uuid }));
    const candidates = read.flatMap((position) => {
      const user = users.get(position.tie);
      return user === undefined ? [] : { user, position };
    });
    return stepOf(read, walk.limit, candidates);
  }
}

/** Users who are banned, in order of registration. */
export class BannedSource implements SearchSource {
  readonly name = 'banned';
  readonly order = null;

  constructor(
    private readonly ranges: UserRangesService,
    private readonly users: UsersService,
    private readonly appId: string,
  ) {}

  count(max: number): Promise<number> {
    return this.ranges.countBanned(this.appId, max);
  }

  async walk({ after, limit }: SourceWalk): Promise<SourceStep> {
    const banned = await this.ranges.walkBanned(this.appId, Number(after?.key ?? 0), limit);
    const users = await this.users.findAllByUuid(
      this.appId,
      banned.map(({ uuid }) => uuid),
    );
    const read = banned.map(({ uuid, userId }) => ({ key: userId, tie: null, uuid }));
    const candidates = read.flatMap(({ uuid, ...position }) => {
      const user = users.get(uuid);
      return user === undefined ? [] : { user, position };
    });
    return stepOf(read, limit, candidates);
  }
}

/** Users with an open session on any node, by name. The presence store has one direction only. */
export class OnlineSource implements SearchSource {
  readonly name = 'online';
  readonly order = null;

  constructor(
    private readonly presence: PresenceService,
    private readonly users: UsersService,
    private readonly appId: string,
  ) {}

  async count(max: number): Promise<number> {
    return Math.min(max, (await this.presence.namesAfter(this.appId, '', 1)).total);
  }

  async walk({ after, limit }: SourceWalk): Promise<SourceStep> {
    const from = after === null ? '' : String(after.key);
    const { usernames, complete } = await this.presence.namesAfter(this.appId, from, limit);
    const users = await this.users.findAll(this.appId, usernames);
    const candidates = users.map((user) => ({ user, position: { key: user.username, tie: null } }));
    const read = usernames.map((key) => ({ key, tie: null }));
    return stepOf(read, limit, candidates, complete);
  }
}
