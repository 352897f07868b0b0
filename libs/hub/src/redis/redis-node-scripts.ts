import { ALSO_WHEN_FULL } from './redis-bucket-lua.js';

/*
 * Who lives: leases, and what must be cleaned up after those that do not. KEYS[1] is `{prefix}:l`. Times are Redis's.
 */

const COMMON = `
local root = string.sub(KEYS[1], 1, -3)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local leases, claims, epoch = root .. ':l', root .. ':x', root .. ':e'

local function isAlive(inc)
  return redis.call('ZSCORE', leases, inc) and redis.call('HEXISTS', claims, inc) == 0
end

local function numberIn(field)
  return tonumber(redis.call('HGET', epoch, field) or '0')
end
`;

/**
 * 1 incarnation · 2 lease, ms · 3 how long transitions are held back after an empty start, ms · 4 silence of all nodes
 * that means that Redis was away, ms · 5 '1': a new incarnation, '2': and some data are lost · 6 the epoch that the process has known, or '' · 7 a name
 * for a new epoch · then app id, connections of each.
 * Answers epoch, now, held back until, ms until the first lease ends (-1: none), ms in which nobody may be reaped.
 */
export const BEAT = `${ALSO_WHEN_FULL}${COMMON}
local inc, lease = ARGV[1], tonumber(ARGV[2])
if ARGV[5] == '0' and not isAlive(inc) then return { 'FENCED' } end
local id = redis.call('HGET', epoch, 'id')
if id and now - numberIn('beat') > tonumber(ARGV[4]) then redis.call('HSET', epoch, 'grace', now + lease) end
-- Another server of a cluster came back empty, and whoever has found that out first says so.
if not id or (ARGV[5] == '2' and ARGV[6] == id) then
  id = ARGV[7]
  redis.call('HSET', epoch, 'id', id, 'begun', now)
  redis.call('HDEL', epoch, 'held')
end
-- Somebody remembers another data set: this one came back empty.
if ARGV[6] ~= '' and ARGV[6] ~= id and numberIn('held') == 0 then
  redis.call('HSET', epoch, 'held', numberIn('begun') + tonumber(ARGV[3]))
end
redis.call('HSET', epoch, 'beat', now)
redis.call('ZADD', leases, now + lease, inc)
redis.call('DEL', root .. ':c:' .. inc)
for i = 8, #ARGV, 2 do redis.call('HSET', root .. ':c:' .. inc, ARGV[i], ARGV[i + 1]) end
local first = redis.call('ZRANGE', leases, 0, 0, 'WITHSCORES')
return { 'OK', id, now, numberIn('held'), tonumber(first[2]) - now, numberIn('grace') - now }
`;

/**
 * 1 incarnation · then buckets that it is about to hold something in; '+' in front of one: something may wait there, and
 * somebody must look after it when all that know of it are gone.
 */
export const REGISTER = `${ALSO_WHEN_FULL}${COMMON}
if not isAlive(ARGV[1]) then return { 'FENCED' } end
for i = 2, #ARGV do
  local bucket = string.gsub(ARGV[i], '^%+', '')
  redis.call('SADD', root .. ':b:' .. ARGV[1], bucket)
  if bucket ~= ARGV[i] then redis.call('SADD', root .. ':w', bucket) end
end
return { 'OK' }
`;

/**
 * 1 how long the claim lasts, ms · 2 an incarnation that its own process gives up, or '' for any whose lease is over.
 * From here on it is dead: it gets no lease and no bucket any more. Answers it and its buckets, or 'NONE'.
 */
export const CLAIM = `${ALSO_WHEN_FULL}${COMMON}
local dead = ARGV[2]
if dead == '' then
  if now < numberIn('grace') then return { 'NONE' } end
  for _, inc in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, 50)) do
    if dead == '' and tonumber(redis.call('HGET', claims, inc) or '0') <= now then dead = inc end
  end
  if dead == '' then return { 'NONE' } end
end
-- Without a lease it is forgotten already, or was lost with everything else: a claim would stay for ever.
if redis.call('ZSCORE', leases, dead) then redis.call('HSET', claims, dead, now + tonumber(ARGV[1])) end
return { 'DEAD', dead, redis.call('SMEMBERS', root .. ':b:' .. dead) }
`;

/**
 * Pairs of an incarnation and a bucket in which it holds something. Those that nobody knows any more are dead: their
 * leases are over, so that somebody cleans up after them. Answers how many leases there were not.
 */
export const ADOPT = `${ALSO_WHEN_FULL}${COMMON}
local adopted = 0
for i = 1, #ARGV, 2 do
  adopted = adopted + redis.call('ZADD', leases, 'NX', 0, ARGV[i])
  redis.call('SADD', root .. ':b:' .. ARGV[i], ARGV[i + 1])
end
return { 'OK', adopted }
`;

/** 1 incarnation of which nothing is left in any bucket. */
export const FORGET = `${ALSO_WHEN_FULL}${COMMON}
redis.call('DEL', root .. ':b:' .. ARGV[1], root .. ':c:' .. ARGV[1])
redis.call('HDEL', claims, ARGV[1])
redis.call('ZREM', leases, ARGV[1])
return { 'OK' }
`;

/**
 * 1 for how long nobody else looks everywhere, ms. Answers '1' who is chosen, the buckets in which something may wait, if
 * so, and the endpoints of webhooks with their apps.
 */
export const LOOK_EVERYWHERE = `${ALSO_WHEN_FULL}${COMMON}
local isChosen = redis.call('SET', root .. ':y', '1', 'NX', 'PX', ARGV[1])
local buckets = isChosen and redis.call('SMEMBERS', root .. ':w') or {}
return { 'OK', isChosen and '1' or '0', buckets, redis.call('HGETALL', root .. ':g') }
`;

/** 1 app id · 2 an incarnation that does not count. Connections of the app on the living nodes. */
export const COUNT_CONNECTIONS = `${COMMON}
local sum, from = 0, now < numberIn('grace') and '-inf' or now
for _, inc in ipairs(redis.call('ZRANGEBYSCORE', leases, from, '+inf')) do
  if inc ~= ARGV[2] then sum = sum + tonumber(redis.call('HGET', root .. ':c:' .. inc, ARGV[1]) or '0') end
end
return { 'OK', sum }
`;

/** KEYS[1] the bucket · 1 tokens per second · 2 burst. Answers taken (1 or 0), whole tokens left, ms until the next one. */
export const TAKE_TOKEN = `${ALSO_WHEN_FULL}
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local stored = redis.call('HMGET', KEYS[1], 't', 'n')
local tokens = burst
if stored[1] then
  tokens = math.min(burst, tonumber(stored[1]) + math.max(0, now - tonumber(stored[2])) / 1000 * rate)
end
local taken = 0
if tokens >= 1 then
  tokens = tokens - 1
  taken = 1
end
redis.call('HSET', KEYS[1], 't', string.format('%.6f', tokens), 'n', string.format('%.3f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate * 1000) + 1000)
local wait = 0
if tokens < 1 then wait = math.ceil((1 - tokens) / rate * 1000) end
return { 'OK', taken, math.floor(tokens), wait }
`;
