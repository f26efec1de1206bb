import type { LastSeenService } from '../last-seen/last-seen.service.js';
import { maxStatusUsers, type PresenceService } from '../presence/presence.service.js';
import { foldNickname } from '../users/nickname-key.js';
import type { User } from '../users/user.js';
import type { TimeRange } from '../users/user-ranges.service.js';
import { foldUsername } from '../users/username.js';
import type { Candidate } from './search-source.js';
import type { UserFilter } from './user-query.js';

/** Decides for which users a filter holds. Whatever the index was, everything is checked. */
export class UserMatcher {
  private readonly username: string;
  private readonly nickname: string;

  constructor(
    private readonly filter: UserFilter,
    private readonly lastSeen: LastSeenService,
    private readonly presence: PresenceService,
  ) {
    this.username = foldUsername(filter.username ?? '');
    this.nickname = foldNickname(filter.nickname ?? '');
  }

  /** The candidates for whom the filter holds, in their order. What needs a look-up comes last, for those left. */
  async matching(appId: string, candidates: readonly Candidate[], source: string): Promise<readonly Candidate[]> {
    const { state, lastSeen } = this.filter;
    let left = candidates.filter(({ user }) => this.mayMatch(user));
    if (lastSeen !== undefined && source !== 'last_seen') {
      const seen = await this.lastSeen.stored(
        appId,
        left.map(({ user }) => user.uuid),
      );
      left = left.filter(({ user }) => isWithin(seen.get(user.uuid), lastSeen));
    }
    if (state === 'online' && source !== 'online') {
      const online = await this.onlineOf(
        appId,
        left.map(({ user }) => user.username),
      );
      left = left.filter(({ user }) => online.has(user.username));
    }
    return left;
  }

  /** Which of these users, by name, are online. */
  async onlineOf(appId: string, usernames: readonly string[]): Promise<ReadonlySet<string>> {
    const online = new Set<string>();
    for (let start = 0; start < usernames.length; start += maxStatusUsers) {
      const some = usernames.slice(start, start + maxStatusUsers);
      const answers = await this.presence.online(appId, some);
      some.forEach((username, index) => answers[index] === true && online.add(username));
    }
    return online;
  }

  private mayMatch({ username, nickname, activated, createdAt }: User): boolean {
    const { state, created } = this.filter;
    return (
      username.startsWith(this.username) &&
      (this.nickname === '' || foldNickname(nickname ?? '').startsWith(this.nickname)) &&
      (state === 'banned' ? !activated : state !== 'active' || activated) &&
      (created === undefined || isWithin(createdAt, created))
    );
  }
}

function isWithin(at: number | undefined, { from = 0, below = Infinity }: TimeRange): boolean {
  return at !== undefined && at >= from && at < below;
}
