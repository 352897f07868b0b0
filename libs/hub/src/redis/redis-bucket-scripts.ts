/*
 * What happens in one bucket, each as one atomic step. KEYS[1] is `root:n`. The first arguments are the same everywhere:
 *   1 incarnation · 2 until when transitions are held back (ms, Redis's time) · 3 infix of topics · 4 PUBLISH or SPUBLISH
 *   · 5 'c' channels or 'u' users, and '1' when the incarnation has been here before
 * Every script may be run again with the same arguments. Times are Redis's own.
 */

/** Who only takes away, or says that it lives, must be let in when Redis is full. */
export const ALSO_WHEN_FULL = '#!lua flags=allow-oom\n';

const COMMON = `
local root = string.sub(KEYS[1], 1, -3)
local inc, topics, publish = ARGV[1], ARGV[3], ARGV[4]
local isUsers, isKnown = string.sub(ARGV[5], 1, 1) == 'u', string.sub(ARGV[5], 2, 2) == '1'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local isHeldBack = now < tonumber(ARGV[2])
local caused = {}

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

local TYPES = { member_added = 1, member_removed = 2 }

-- Everything that follows a change of the state. json: the member as JSON, or ''. Silent: nothing has happened, it was
-- only forgotten. Who has read the incomplete state meanwhile must hear of it; the others' rosters know already.
local function transition(kind, channel, json, isSilent)
  local serial = nextSerial()
  local text = string.format('%.0f', serial)
  redis.call('HSET', root .. ':s:' .. channel, 'n', text)
  if isHeldBack then return serial end
  if TYPES[kind] then
    local header = struct.pack('>BBHBHd', 1, TYPES[kind], 15, 2, 8, serial)
    redis.call(publish, root .. topics .. channel, header .. json)
  end
  if isSilent then return serial end
  redis.call('XADD', root .. ':w', 'MAXLEN', '~', 1024, '*', 't', kind, 'c', channel, 'n', text, 'm', json)
  redis.call('PEXPIRE', root .. ':w', 3600000)
  caused[#caused + 1] = { kind, text, json }
  return serial
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
  local isFirst = redis.call('EXISTS', sockets) == 0
  redis.call('HSET', sockets, socket, inc .. user)
  redis.call('SADD', root .. ':h:' .. inc, entry)
  if isFirst then
    redis.call('ZADD', root .. ':o', 0, channel)
    transition(isUsers and 'user_online' or 'channel_occupied', channel, '', isSilent)
  end
  if json == '' then return end
  redis.call('ZADD', root .. ':p:' .. channel, 0, string.sub(socketsOf(user), 2) .. socket)
  if not redis.call('ZSCORE', root .. ':m:' .. channel, user) then
    redis.call('HSET', root .. ':i:' .. channel, user, json)
    local serial = transition('member_added', channel, json, isSilent)
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
    transition('member_removed', channel, json)
  end
  if redis.call('HLEN', sockets) <= 1 then
    transition(isUsers and 'user_offline' or 'channel_vacated', channel, '')
    redis.call('ZREM', root .. ':o', channel)
    redis.call('DEL', sockets)
  end
end

local function countOf(channel)
  return math.max(0, redis.call('HLEN', root .. ':s:' .. channel) - 1)
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

/** 6 channel · 7 socket id · 8 user id · 9 member as JSON or '' · 10 most members · 11 '1': answer the cached event */
export const JOIN = `${COMMON}
if isDead(inc) then return { 'FENCED' } end
if isLost() then return { 'LOST' } end
local channel, socket, user, json = ARGV[6], ARGV[7], ARGV[8], ARGV[9]
if json ~= '' and not redis.call('ZSCORE', root .. ':m:' .. channel, user)
  and redis.call('ZCARD', root .. ':m:' .. channel) >= tonumber(ARGV[10]) then
  return { 'FULL' }
end
add(channel, socket, user, json)
-- What is told now is not what was there at any serial: one of its own lets the truth through later.
if isHeldBack and json ~= '' then
  redis.call('HSET', root .. ':s:' .. channel, 'n', string.format('%.0f', nextSerial()))
end
local members = json == '' and {} or membersOf(channel)
local cached = ARGV[11] == '1' and cachedIn(channel)
return { 'OK', isHeldBack and 1 or 0, serialOf(channel), members, caused, cached }
`;

/** 6 channel · 7 socket id */
export const LEAVE = `${ALSO_WHEN_FULL}${COMMON}
if isDead(inc) then return { 'FENCED' } end
if isLost() then return { 'LOST' } end
-- What a former incarnation still holds leaves when that is cleaned up.
remove(ARGV[6], ARGV[7], inc)
return { 'OK', caused }
`;

/**
 * 6 incarnations that the process had before, joined by commas · 7 '1': the others have been told that these are gone
 * · then channel, socket id, user id, member as JSON or '', '1': only if it is there, of each. What was only forgotten is no transition for
 * the stream; what was announced as gone, because a former incarnation is dead here, is one when it comes back.
 */
export const RESTORE = `${COMMON}
if isDead(inc) then return { 'FENCED' } end
if isLost() then return { 'LOST' } end
local isSilent = ARGV[7] ~= '1'
for former in string.gmatch(ARGV[6], '[^,]+') do
  if isDead(former) then isSilent = false end
end
for i = 8, #ARGV, 5 do add(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], isSilent, ARGV[i + 4] == '1') end
return { 'OK' }
`;

/** 6 most entries of a call. The incarnation is the dead one. Answers how many entries are left. */
export const REAP = `${ALSO_WHEN_FULL}${COMMON}
redis.call('ZREMRANGEBYSCORE', root .. ':f', '-inf', now - 3600000)
redis.call('ZADD', root .. ':f', now, inc)
redis.call('PEXPIRE', root .. ':f', 3600000)
local held = root .. ':h:' .. inc
for _, entry in ipairs(redis.call('SRANDMEMBER', held, ARGV[6])) do
  local space = string.find(entry, ' ', 1, true)
  if space then remove(string.sub(entry, space + 1), string.sub(entry, 1, space - 1), inc) end
  redis.call('SREM', held, entry)
end
return { 'OK', redis.call('SCARD', held) }
`;

/** 6 channel · 7 payload · 8 ttl, ms · 9 socket id that does not get it, or '' */
export const PUBLISH_CACHED = `${COMMON}
local channel, payload, except = ARGV[6], ARGV[7], ARGV[9]
local serial = nextSerial()
local text = string.format('%.0f', serial)
local sockets = root .. ':s:' .. channel
if redis.call('EXISTS', sockets) == 1 then redis.call('HSET', sockets, 'n', text) end
redis.call('HSET', root .. ':c:' .. channel, 'p', payload, 'n', text)
redis.call('PEXPIRE', root .. ':c:' .. channel, ARGV[8])
local fields = struct.pack('>BHd', 2, 8, serial)
if except ~= '' then fields = struct.pack('>BH', 1, #except) .. except .. fields end
redis.call(publish, root .. topics .. channel, struct.pack('>BBH', 1, 0, 4 + #fields) .. fields .. payload)
return { 'OK' }
`;

/** 6 channel · 7 '1': with members · 8 '1': with the cached event */
export const FIND = `${COMMON}
local channel = ARGV[6]
local members = ARGV[7] == '1' and membersOf(channel)
local cached = ARGV[8] == '1' and cachedIn(channel)
local users = redis.call('ZCARD', root .. ':m:' .. channel)
return { 'OK', isHeldBack and 1 or 0, serialOf(channel), countOf(channel), users, members, cached }
`;

/** 6 prefix of the names · 7 the name after which to go on, or '' · 8 most names of a call. Name, sockets, users of each. */
export const LIST = `${COMMON}
local from = ARGV[7] ~= '' and '(' .. ARGV[7] or (ARGV[6] == '' and '-' or '[' .. ARGV[6])
local to = ARGV[6] == '' and '+' or '(' .. ARGV[6] .. '\\255'
local found = {}
for _, channel in ipairs(redis.call('ZRANGEBYLEX', root .. ':o', from, to, 'LIMIT', 0, ARGV[8])) do
  found[#found + 1] = channel
  found[#found + 1] = countOf(channel)
  found[#found + 1] = redis.call('ZCARD', root .. ':m:' .. channel)
end
return { 'OK', found }
`;

/** 6 and on: user ids. 1 for each that is online. */
export const ONLINE = `${COMMON}
local found = {}
for i = 6, #ARGV do found[#found + 1] = redis.call('EXISTS', root .. ':s:' .. ARGV[i]) end
return { 'OK', found }
`;
