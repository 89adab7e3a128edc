// What Redis does in one step, in Lua. Each script touches one key, so a Cluster runs it like a single server; each takes
// whatever a stranger may have left under that key for what it is: nothing of ours.

/** KEYS[1] lease; ARGV holder, milliseconds. A lease of ours always has an end: what has none would be held for ever. */
const CLAIM = `
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
if redis.call('PTTL', KEYS[1]) == -1 then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 1
end
return 0`;

/** KEYS[1] lease; ARGV holder. */
const RELEASE = `
if redis.call('TYPE', KEYS[1]).ok == 'string' and redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0`;

/** KEYS[1] value; ARGV tag. Removes it if its first bytes are the tag of its owner. */
const REMOVE_TAGGED = `
if redis.call('TYPE', KEYS[1]).ok == 'string' and redis.call('GETRANGE', KEYS[1], 0, #ARGV[1] - 1) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0`;

/**
 * KEYS[1] index of an owner; ARGV key of a value, milliseconds it is listed for. What is over is taken off the list here, and
 * the list ends with its last entry, so an owner who keeps coming back has no longer a list than live entries.
 */
const LIST = `
local type = redis.call('TYPE', KEYS[1]).ok
if type ~= 'zset' and type ~= 'none' then redis.call('DEL', KEYS[1]) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1`;

/** KEYS[1] index of an owner. */
const LISTED = `
if redis.call('TYPE', KEYS[1]).ok ~= 'zset' then return {} end
return redis.call('ZRANGE', KEYS[1], 0, -1)`;

export const STATE_SCRIPTS = {
  stateClaim: CLAIM,
  stateRelease: RELEASE,
  stateRemoveTagged: REMOVE_TAGGED,
  stateList: LIST,
  stateListed: LISTED,
} as const;
