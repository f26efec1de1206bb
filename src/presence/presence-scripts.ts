import type { Result } from 'ioredis';
import type { RedisService } from '../redis/redis.service.js';

/**
 * Keys of one app, all in one slot of a cluster:
 * - `{app}:presence:nodes`: hash, node name to the end of its lease, in Unix milliseconds of Redis's clock
 * - `{app}:presence:user:{username}`: hash, `node|session id` to `since|platform|resource|user uuid|device name`
 * - `{app}:presence:node:{node}`: sorted set (all scores 0, so sorted by name) of the users with a session on that node
 * - `{app}:presence:total`: hash, how many users are online over several nodes, and until when that is fresh
 *
 * A lease ending more than a full lease from now was written before the clock was set back, and is ignored.
 */
const prelude = `
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local now = math.floor(micros / 1000)
local function lives(lease, leaseMs)
  lease = tonumber(lease or 0)
  return lease > now and lease <= now + leaseMs
end
local function livingNodes(key, leaseMs)
  local entries, living = redis.call('HGETALL', key), {}
  for i = 1, #entries, 2 do living[entries[i]] = lives(entries[i + 1], leaseMs) or nil end
  return living
end
`;

/** Returns {0} when the expected lease is lost, else {1, since, field, value, …} with what was replaced. */
const announceScript = `${prelude}
local nodes, user, members = KEYS[1], KEYS[2], KEYS[3]
local node, leaseMs, first, ttl = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1', ARGV[4]
local id, since, platform, resource, rest = ARGV[5], tonumber(ARGV[6]), ARGV[7], ARGV[8], ARGV[9]
local perPlatform, perUser, username = tonumber(ARGV[10]), tonumber(ARGV[11]), ARGV[12]
if not lives(redis.call('HGET', nodes, node), leaseMs) then
  if not first then return {0} end
  redis.call('HSET', nodes, node, now + leaseMs)
end
redis.call('PEXPIRE', nodes, leaseMs * 6)
local living = livingNodes(nodes, leaseMs)
local entries, rivals, newest = redis.call('HGETALL', user), {}, 0
for i = 1, #entries, 2 do
  local field, value = entries[i], entries[i + 1]
  local holder, other = string.match(field, '^([^|]*)|(.*)$')
  if not living[holder] or other == id then
    redis.call('HDEL', user, field)
  else
    local from, where, what = string.match(value, '^(%d+)|([^|]*)|([^|]*)|')
    from = tonumber(from)
    if from > newest then newest = from end
    rivals[#rivals + 1] = {since = from, platform = where, resource = what, field = field, value = value}
  end
end
if since == 0 then since = math.max(micros, newest + 1) end
local field = node .. '|' .. id
local value = string.format('%.0f', since) .. '|' .. platform .. '|' .. resource .. '|' .. rest
redis.call('HSET', user, field, value)
redis.call('PEXPIRE', user, ttl)
redis.call('ZADD', members, 0, username)
redis.call('PEXPIRE', members, leaseMs * 6)
rivals[#rivals + 1] = {since = since, platform = platform, resource = resource, field = field, value = value}
table.sort(rivals, function(a, b) return a.since > b.since or (a.since == b.since and a.field > b.field) end)
local answer, kept, ofPlatform, count = {1, string.format('%.0f', since)}, {}, {}, 0
for _, one in ipairs(rivals) do
  local same = ofPlatform[one.platform] or 0
  if kept[one.resource] or same == perPlatform or count == perUser then
    redis.call('HDEL', user, one.field)
    answer[#answer + 1] = one.field
    answer[#answer + 1] = one.value
  else
    kept[one.resource] = true
    ofPlatform[one.platform] = same + 1
    count = count + 1
  end
end
return answer
`;

const withdrawScript = `
local user, members, node, id, username = KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3]
local more = false
for _, field in ipairs(redis.call('HKEYS', user)) do
  local holder, other = string.match(field, '^([^|]*)|(.*)$')
  if other == id then redis.call('HDEL', user, field) elseif holder == node then more = true end
end
if not more then redis.call('ZREM', members, username) end
return 1
`;

/** Returns 0 or 1 for each user key. */
const onlineScript = `${prelude}
local living = livingNodes(KEYS[1], tonumber(ARGV[1]))
local answer = {}
for i = 2, #KEYS do
  local online = 0
  for _, field in ipairs(redis.call('HKEYS', KEYS[i])) do
    if living[string.match(field, '^[^|]*')] then online = 1 break end
  end
  answer[i - 1] = online
end
return answer
`;

/** Returns {field, value, …} for each user key. */
const sessionsScript = `${prelude}
local living = livingNodes(KEYS[1], tonumber(ARGV[1]))
local answer = {}
for i = 2, #KEYS do
  local entries, found = redis.call('HGETALL', KEYS[i]), {}
  for j = 1, #entries, 2 do
    if living[string.match(entries[j], '^[^|]*')] then
      found[#found + 1] = entries[j]
      found[#found + 1] = entries[j + 1]
    end
  end
  answer[i - 1] = found
end
return answer
`;

/** Returns the node's {session id, …} for each user key. KEYS: its users, then user keys; ARGV: node, TTL, names. */
const keptScript = `
local members, node, ttl, answer = KEYS[1], ARGV[1], ARGV[2], {}
for i = 2, #KEYS do
  local found = {}
  if redis.call('ZSCORE', members, ARGV[i + 1]) then
    for _, field in ipairs(redis.call('HKEYS', KEYS[i])) do
      local holder, id = string.match(field, '^([^|]*)|(.*)$')
      if holder == node then found[#found + 1] = id end
    end
    if #found > 0 then redis.call('PEXPIRE', KEYS[i], ttl) end
  end
  answer[i - 1] = found
end
return answer
`;

/** Returns {whether there are more, name, …}. */
const walkScript = `
local members, after, parts, minPart = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local limit = math.max(minPart, math.ceil(redis.call('ZCARD', members) / parts))
local names = redis.call('ZRANGEBYLEX', members, after == '' and '-' or '(' .. after, '+', 'LIMIT', 0, limit)
table.insert(names, 1, #names == limit and 1 or 0)
return names
`;

const livingScript = `${prelude}
local answer = {}
for node in pairs(livingNodes(KEYS[1], tonumber(ARGV[1]))) do answer[#answer + 1] = node end
return answer
`;

/** Returns {whether the lease existed, how many nodes have one}. \`first\`: it need not have existed. */
const renewScript = `${prelude}
local nodes, node, leaseMs, first = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1'
if not first and not lives(redis.call('HGET', nodes, node), leaseMs) then return {0, 0} end
redis.call('HSET', nodes, node, now + leaseMs)
redis.call('PEXPIRE', nodes, leaseMs * 6)
if KEYS[2] then redis.call('PEXPIRE', KEYS[2], leaseMs * 6) end
local count = 0
local entries = redis.call('HGETALL', nodes)
for i = 1, #entries, 2 do
  if lives(entries[i + 1], leaseMs) then count = count + 1 else redis.call('HDEL', nodes, entries[i]) end
end
return {1, count}
`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    presenceAnnounce(...keysAndValues: (string | number)[]): Result<[number, ...string[]], Context>;
    presenceWithdraw(...keysAndValues: (string | number)[]): Result<number, Context>;
    presenceOnline(...keysAndValues: (string | number)[]): Result<number[], Context>;
    presenceSessions(...keysAndValues: (string | number)[]): Result<string[][], Context>;
    presenceKept(...keysAndValues: (string | number)[]): Result<string[][], Context>;
    presenceWalk(...keysAndValues: (string | number)[]): Result<[number, ...string[]], Context>;
    presenceLiving(...keysAndValues: (string | number)[]): Result<string[], Context>;
    presenceRenew(...keysAndValues: (string | number)[]): Result<[number, number], Context>;
  }
}

/** Defines the scripts as commands of these connections. */
export function definePresenceScripts(redis: RedisService): void {
  redis.defineScript('presenceAnnounce', { numberOfKeys: 3, lua: announceScript });
  redis.defineScript('presenceWithdraw', { numberOfKeys: 2, lua: withdrawScript });
  redis.defineScript('presenceOnline', { lua: onlineScript });
  redis.defineScript('presenceSessions', { lua: sessionsScript });
  redis.defineScript('presenceKept', { lua: keptScript });
  redis.defineScript('presenceWalk', { numberOfKeys: 1, lua: walkScript });
  redis.defineScript('presenceLiving', { numberOfKeys: 1, lua: livingScript });
  redis.defineScript('presenceRenew', { lua: renewScript });
}
