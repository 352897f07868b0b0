import { TELLING } from './redis-telling-lua.js';

/*
 * What every script about a bucket has in common. KEYS[1] is `root:n`. The first arguments are the same everywhere:
 *   1 incarnation · 2 until when transitions are held back (ms, Redis's time) · 3 infix of topics · 4 PUBLISH or SPUBLISH
 *   · 5 'c' channels or 'u' users, '1' when the incarnation has been here before, else '0', and, from who knows the app's
 *   settings, '=' and of what it wants to be told: 'w' webhooks, 'k' counts of subscriptions
 * Every script may be run again with the same arguments. Times are Redis's own.
 */

/** Who only takes away, or says that it lives, must be let in when Redis is full. */
export const ALSO_WHEN_FULL = '#!lua flags=allow-oom\n';

export const COMMON = `
local root = string.sub(KEYS[1], 1, -3)
local inc, topics, publish = ARGV[1], ARGV[3], ARGV[4]
local isUsers, isKnown = string.sub(ARGV[5], 1, 1) == 'u', string.sub(ARGV[5], 2, 2) == '1'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local isHeldBack = now < tonumber(ARGV[2])
local caused = {}
-- Somebody should look after what waits here: '1', else '0'.
local pending = '0'

local function isDead(incarnation)
  return redis.call('ZSCORE', root .. ':f', incarnation)
end

-- A mark among what the incarnation holds tells an empty bucket from one that was lost.
local function isLost()
  if isKnown then return redis.call('EXISTS', root .. ':h:' .. inc) == 0 end
  redis.call('SADD', root .. ':h:' .. inc, '*')
  redis.call('SADD', root .. ':v', inc)
  return false
end

-- Microseconds, so that serials go on growing when the data is lost.
local function nextSerial()
  local serial = time[1] * 1000000 + time[2]
  local last = tonumber(redis.call('GET', root .. ':n') or '0')
  if serial <= last then serial = last + 1 end
  redis.call('SET', root .. ':n', string.format('%.0f', serial))
  return serial
end

local function serialOf(channel)
  return redis.call('HGET', root .. ':s:' .. channel, 'n') or redis.call('GET', root .. ':n') or '0'
end

${TELLING}
-- The sockets of one user in p; the length in front keeps users apart whatever is in their ids.
local function socketsOf(user)
  return '[' .. #user .. ':' .. user .. ':'
end

-- isKept: only what is there already changes hands.
local function add(channel, socket, user, json, isSilent, isKept)
  local sockets = root .. ':s:' .. channel
  local entry = socket .. ' ' .. channel
  local seat = redis.call('HGET', sockets, socket)
  if seat then
    local owner = string.sub(seat, 1, 16)
    if owner ~= inc then
      redis.call('HSET', sockets, socket, inc .. user)
      redis.call('SREM', root .. ':h:' .. owner, entry)
      redis.call('SADD', root .. ':h:' .. inc, entry)
    end
    return
  end
  if isKept then return end
  if isSilent then
    tell(true, '', channel, '', true)
    if json ~= '' then tell(true, '', channel, user, true) end
  end
  local isFirst = redis.call('EXISTS', sockets) == 0
  redis.call('HSET', sockets, socket, inc .. user)
  redis.call('SADD', root .. ':h:' .. inc, entry)
  if isFirst then
    redis.call('ZADD', root .. ':o', 0, channel)
    transition(true, isUsers and 'user_online' or 'channel_occupied', channel, '', '', isSilent)
  end
  countChanged(channel, isSilent)
  if json == '' then return end
  redis.call('ZADD', root .. ':p:' .. channel, 0, string.sub(socketsOf(user), 2) .. socket)
  if not redis.call('ZSCORE', root .. ':m:' .. channel, user) then
    redis.call('HSET', root .. ':i:' .. channel, user, json)
    local serial = transition(true, 'member_added', channel, user, json, isSilent)
    redis.call('ZADD', root .. ':m:' .. channel, string.format('%.0f', serial), user)
  end
end

-- owner: leave it alone when somebody else holds it by now.
local function remove(channel, socket, owner)
  local sockets = root .. ':s:' .. channel
  local seat = redis.call('HGET', sockets, socket)
  if not seat then return end
  local holder = string.sub(seat, 1, 16)
  if owner and holder ~= owner then return end
  redis.call('HDEL', sockets, socket)
  redis.call('SREM', root .. ':h:' .. holder, socket .. ' ' .. channel)
  local user = string.sub(seat, 17)
  local places, from = root .. ':p:' .. channel, socketsOf(user)
  if user ~= '' and redis.call('ZREM', places, string.sub(from, 2) .. socket) == 1
    and #redis.call('ZRANGEBYLEX', places, from, from .. '\\255', 'LIMIT', 0, 1) == 0 then
    local json = redis.call('HGET', root .. ':i:' .. channel, user) or ''
    redis.call('ZREM', root .. ':m:' .. channel, user)
    redis.call('HDEL', root .. ':i:' .. channel, user)
    transition(false, 'member_removed', channel, user, json)
  end
  if redis.call('HLEN', sockets) <= 1 then
    transition(false, isUsers and 'user_offline' or 'channel_vacated', channel, '', '')
    redis.call('ZREM', root .. ':o', channel)
    redis.call('DEL', sockets)
  end
  countChanged(channel)
end

local function infosOf(channel, users)
  local infos = {}
  -- In parts: a call takes some thousand arguments at most.
  for first = 1, #users, 1000 do
    local part = redis.call('HMGET', root .. ':i:' .. channel, unpack(users, first, math.min(first + 999, #users)))
    for i = 1, #part do if part[i] then infos[#infos + 1] = part[i] end end
  end
  return infos
end

local function membersOf(channel)
  return infosOf(channel, redis.call('ZRANGE', root .. ':m:' .. channel, 0, -1))
end

local function cachedIn(channel)
  local ttl = redis.call('PTTL', root .. ':c:' .. channel)
  if ttl <= 0 then return false end
  return { redis.call('HGET', root .. ':c:' .. channel, 'p'), ttl }
end
`;
