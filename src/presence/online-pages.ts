import type { Result } from 'ioredis';
import type { RedisService } from '../redis/redis.service.js';
import type { OnlinePage } from './presence.store.js';

/** Names per node that one counting script reads: under a millisecond for Redis. */
const countedAtOnce = 1_000;
/** Larger totals are kept longer. Redis takes about 1 µs per name, so counting uses at most a twentieth of its time. */
const freshMsPerName = 0.02;
const minFreshMs = 100;

/**
 * KEYS: the total, and the users of each live node. Returns {whether the total must be counted, the total, name, …}.
 * With one node the total is its user count. With more, a user may be on several, so the total is counted separately
 * and cached; once stale, the first caller recounts while the others get the old total.
 */
const pageScript = `
local time = redis.call('TIME')
local now = math.floor((time[1] * 1000000 + time[2]) / 1000)
local after, limit, answer, sum = ARGV[1], ARGV[2], {0, 0}, 0
local from = after == '' and '-' or '(' .. after
for i = 2, #KEYS do
  sum = sum + redis.call('ZCARD', KEYS[i])
  for _, name in ipairs(redis.call('ZRANGEBYLEX', KEYS[i], from, '+', 'LIMIT', 0, limit)) do answer[#answer + 1] = name end
end
answer[2] = sum
if #KEYS > 2 then
  local counted = redis.call('HMGET', KEYS[1], 'total', 'until')
  if not counted[1] then answer[1] = 1 return answer end
  answer[2] = tonumber(counted[1])
  if now >= tonumber(counted[2]) then
    redis.call('HSET', KEYS[1], 'until', 1e15)
    answer[1] = 1
  end
end
return answer
`;

/**
 * KEYS: the users of each live node. Returns {how many distinct names are after ARGV[1] and up to ARGV[2], and for each
 * key the name that is one full part after ARGV[2]}. Lua compares strings by locale, so nothing is compared here.
 */
const countScript = `
local after, upto, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])
local answer, seen, count = {0}, {}, 0
local from = after == '' and '-' or '(' .. after
local nextFrom = upto == '' and '-' or '(' .. upto
for _, key in ipairs(KEYS) do
  if upto ~= '' then
    for _, name in ipairs(redis.call('ZRANGEBYLEX', key, from, upto == '+' and '+' or '[' .. upto)) do
      if not seen[name] then
        seen[name] = true
        count = count + 1
      end
    end
  end
  if upto ~= '+' then
    answer[#answer + 1] = redis.call('ZRANGEBYLEX', key, nextFrom, '+', 'LIMIT', limit - 1, 1)[1]
  end
end
answer[1] = count
return answer
`;

/** A total expires after twice its fresh time. */
const keepTotalScript = `
local time = redis.call('TIME')
local now = math.floor((time[1] * 1000000 + time[2]) / 1000)
redis.call('HSET', KEYS[1], 'total', ARGV[1], 'until', now + ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2] * 2)
return 1
`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    presencePage(...keysAndValues: (string | number)[]): Result<[number, number, ...string[]], Context>;
    presenceKeepTotal(key: string, total: number, freshMs: number): Result<number, Context>;
    presenceCount(...keysAndValues: (string | number)[]): Result<[number, ...string[]], Context>;
  }
}

/** Pages of an app's online users, merged from the sorted sets of the nodes. A page costs a page of each node. */
export class OnlinePages {
  private readonly counting = new Map<string, Promise<number>>();

  constructor(private readonly redis: RedisService) {
    redis.defineScript('presencePage', { lua: pageScript });
    redis.defineScript('presenceCount', { lua: countScript });
    redis.defineScript('presenceKeepTotal', { numberOfKeys: 1, lua: keepTotalScript });
  }

  /**
   * @param totalKey where the total is kept, in the same slot as the others
   * @param usersKeys the users of each live node @throws RedisUnavailable
   */
  async page(totalKey: string, usersKeys: readonly string[], after: string, limit: number): Promise<OnlinePage> {
    if (usersKeys.length === 0) return { usernames: [], total: 0 };
    const [due, known, ...names] = await this.redis.run(totalKey, (redis) =>
      redis.presencePage(usersKeys.length + 1, totalKey, ...usersKeys, after, limit),
    );
    const total = due === 1 ? await this.count(totalKey, usersKeys) : known;
    return { usernames: [...new Set(names)].sort().slice(0, limit), total };
  }

  private count(totalKey: string, usersKeys: readonly string[]): Promise<number> {
    const running = this.counting.get(totalKey);
    if (running !== undefined) return running;
    const counting = this.countInParts(totalKey, usersKeys).finally(() => this.counting.delete(totalKey));
    this.counting.set(totalKey, counting);
    return counting;
  }

  /** Redis serves other commands between the parts, so users who come and go meanwhile may or may not be counted. */
  private async countInParts(totalKey: string, usersKeys: readonly string[]): Promise<number> {
    let total = 0;
    for (let after = '', upto = ''; after !== '+';) {
      const [count, ...candidates] = await this.redis.run(totalKey, (redis) =>
        redis.presenceCount(usersKeys.length, ...usersKeys, after, upto, countedAtOnce),
      );
      total += count;
      after = upto;
      // The first of them: up to there, no node exceeds its part.
      upto = candidates.sort()[0] ?? '+';
    }
    const freshMs = Math.max(minFreshMs, Math.ceil(total * freshMsPerName));
    await this.redis.run(totalKey, (redis) => redis.presenceKeepTotal(totalKey, total, freshMs));
    return total;
  }
}
