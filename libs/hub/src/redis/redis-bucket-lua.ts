/*
 * What every script about a bucket has in common. KEYS[1] is `root:n`. The first arguments are the same everywhere:
 *   1 incarnation · 2 until when transitions are held back (ms, Redis's time) · 3 infix of topics · 4 PUBLISH or SPUBLISH
 *   · 5 'c' channels or 'u' users, '1' when the incarnation has been here before, else '0', and, from who knows the app's
 *   settings, '=' and of what it wants to be told: 'w' webhooks, 'k' counts of subscriptions
 * Every script may be run again with the same arguments. Times are Redis's own.
 */

/** Who only takes away, or says that it lives, must be let in when Redis is full. */
export const ALSO_WHEN_FULL = '#!lua flags=allow-oom\n';

/** A channel that is empty, or a member who has gone, is told of when it has stayed so. */
const SETTLE_MS = 3_000;
/** What nobody fetches: more than a busy bucket has in a minute, and no more than some MB. */
const MAX_UNREAD = 8_192;
const KEPT_MS = 24 * 3_600_000;
/** Above so many subscribers the count is told once in a while. */
const MANY_SUBSCRIBERS = 100;
const COUNT_PAUSE_MS = 5_000;

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

-- The app's settings as those know them who bring them along; whoever cleans up finds them here.
local function setWanted()
  local said = string.match(ARGV[5], '=(.*)')
  if not said or said == (redis.call('GET', root .. ':a') or '') then return end
  if said == '' then redis.call('DEL', root .. ':a') else redis.call('SET', root .. ':a', said) end
end

local wanted
local function wants(what)
  wanted = wanted or redis.call('GET', root .. ':a') or ''
  return string.find(wanted, what, 1, true)
end

-- For webhooks: what has happened, in order.
local function record(kind, channel, field, value)
  redis.call('XADD', root .. ':w', 'MAXLEN', '~', ${MAX_UNREAD}, '*', 't', kind, 'c', channel, field, value)
  redis.call('PEXPIRE', root .. ':w', ${KEPT_MS})
  pending = '1'
end

local function plan(at, name)
  redis.call('ZADD', root .. ':d', 'NX', string.format('%.0f', at), name)
  redis.call('PEXPIRE', root .. ':d', ${KEPT_MS})
  pending = '1'
end

-- A channel, or a member of it, in the plan; in front of it stands what was told last: '1' there, '0' not, '2' there,
-- as somebody remembers whom Redis has forgotten.
local function nameOf(channel, user)
  return #channel .. ':' .. channel .. user
end

-- Back after everybody else was counted: what was told of is in nobody's memory but that of those who have left since.
local isLate = false

-- Webhooks hear of what is there now, and of what is gone when it has stayed so. Who was told of what is only written
-- down while it differs from the state: a name in the plan. Silent: it was told before it was forgotten.
local function tell(isThere, kind, channel, user, isSilent)
  if isUsers or not wants('w') or string.sub(channel, 1, 1) == '#' then return end
  local due, name = root .. ':d', nameOf(channel, user)
  if isSilent then
    redis.call('ZREM', due, '0' .. name, '1' .. name, '2' .. name)
  elseif isHeldBack then
    -- Judged when everybody has said what it holds.
    local isKnown = redis.call('ZSCORE', due, '0' .. name) or redis.call('ZSCORE', due, '1' .. name)
      or redis.call('ZSCORE', due, '2' .. name)
    if not isKnown then plan(tonumber(ARGV[2]), (isThere and '0' or '1') .. name) end
  elseif isThere then
    redis.call('ZREM', due, '0' .. name)
    local wasTold = redis.call('ZREM', due, '1' .. name, '2' .. name) > 0 or isLate
    if redis.call('SREM', root .. ':z', name) == 1 or not wasTold then record(kind, channel, 'u', user) end
  elseif redis.call('ZREM', due, '0' .. name) == 0 then
    redis.call('ZREM', due, '2' .. name)
    -- A channel after its members.
    plan(now + ${SETTLE_MS} + (user == '' and 1 or 0), '1' .. name)
  end
end

local function isPresent(channel, user)
  if user == '' then return redis.call('EXISTS', root .. ':s:' .. channel) == 1 end
  return redis.call('ZSCORE', root .. ':m:' .. channel, user)
end

-- Told of before Redis lost it, and gone since: judged when everybody has said what it holds.
local function leftMeanwhile(channel, user)
  local due, name = root .. ':d', nameOf(channel, user)
  if not wants('w') or string.sub(channel, 1, 1) == '#' or redis.call('SISMEMBER', root .. ':z', name) == 1 then return end
  redis.call('ZREM', due, '0' .. name)
  if isPresent(channel, user) or redis.call('ZSCORE', due, '1' .. name) then return end
  local at = isHeldBack and tonumber(ARGV[2]) or now + ${SETTLE_MS}
  plan(at + (user == '' and 1 or 0), '2' .. name)
end

local TYPES = { member_added = 1, member_removed = 2, user_online = 3, user_offline = 4 }

-- Everything that follows a change of the state. json: the member as JSON, or ''. Silent: nothing has happened, it was
-- only forgotten. Who has read the incomplete state meanwhile must hear of it; the others' rosters know already.
local function transition(isThere, kind, channel, user, json, isSilent)
  local serial = nextSerial()
  local text = string.format('%.0f', serial)
  redis.call('HSET', root .. ':s:' .. channel, 'n', text)
  if not isSilent then tell(isThere, kind, channel, user) end
  if isHeldBack then return serial end
  if TYPES[kind] then
    local header = struct.pack('>BBHBHd', 1, TYPES[kind], 15, 2, 8, serial)
    redis.call(publish, root .. topics .. channel, header .. json)
  end
  if not isSilent then caused[#caused + 1] = { kind, text, json } end
  return serial
end

local function countOf(channel)
  return math.max(0, redis.call('HLEN', root .. ':s:' .. channel) - 1)
end

-- Connections in a channel, for its clients. A presence channel has members instead.
local function tellCount(channel, count)
  if count > ${MANY_SUBSCRIBERS} then redis.call('HSET', root .. ':k', channel, now) end
  redis.call('ZREM', root .. ':d', 'k' .. nameOf(channel, ''))
  redis.call(publish, root .. topics .. channel, struct.pack('>BBH', 1, 5, 4) .. count)
  if wants('w') then record('subscription_count', channel, 'u', count) end
end

local function countChanged(channel)
  if isHeldBack or isUsers or not wants('k') then return end
  if string.sub(channel, 1, 9) == 'presence-' or string.sub(channel, 1, 1) == '#' then return end
  local count = countOf(channel)
  if count == 0 then
    redis.call('HDEL', root .. ':k', channel)
    redis.call('ZREM', root .. ':d', 'k' .. nameOf(channel, ''))
    return
  end
  local last = count > ${MANY_SUBSCRIBERS} and tonumber(redis.call('HGET', root .. ':k', channel) or '0') or 0
  if now - last < ${COUNT_PAUSE_MS} then plan(last + ${COUNT_PAUSE_MS}, 'k' .. nameOf(channel, ''))
  else tellCount(channel, count) end
end

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
  if not isSilent then countChanged(channel) end
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

local function membersOf(channel)
  local users, members = redis.call('ZRANGE', root .. ':m:' .. channel, 0, -1), {}
  -- In parts: a call takes some thousand arguments at most.
  for first = 1, #users, 1000 do
    local part = redis.call('HMGET', root .. ':i:' .. channel, unpack(users, first, math.min(first + 999, #users)))
    for i = 1, #part do if part[i] then members[#members + 1] = part[i] end end
  end
  return members
end

local function cachedIn(channel)
  local ttl = redis.call('PTTL', root .. ':c:' .. channel)
  if ttl <= 0 then return false end
  return { redis.call('HGET', root .. ':c:' .. channel, 'p'), ttl }
end
`;
