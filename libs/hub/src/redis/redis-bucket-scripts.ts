import { ALSO_WHEN_FULL, COMMON } from './redis-bucket-lua.js';

/*
 * What happens in one bucket, each as one atomic step. Arguments from 6 on are each script's own; those before, and
 * what the scripts have in common, are in `redis-bucket-lua.ts`. All answer 'OK', and '1' when something waits here.
 */

/**
 * 6 channel · 7 socket id · 8 user id · 9 member as JSON or '' · 10 most members · 11 '1': answer the cached event · 12 a
 * serial, or '' · 13 how many members there were then. If nobody of those has left, the members of the answer are those
 * who have come since, and its last field is 1: whoever left and came back counts as come, and would be one too many.
 */
export const JOIN = `${COMMON}
if isDead(inc) then return { 'FENCED' } end
if isLost() then return { 'LOST' } end
local channel, socket, user, json = ARGV[6], ARGV[7], ARGV[8], ARGV[9]
if json ~= '' and not redis.call('ZSCORE', root .. ':m:' .. channel, user)
  and redis.call('ZCARD', root .. ':m:' .. channel) >= tonumber(ARGV[10]) then
  return { 'FULL' }
end
setWanted()
add(channel, socket, user, json)
-- What is told now is not what was there at any serial: one of its own lets the truth through later.
if isHeldBack and json ~= '' then
  redis.call('HSET', root .. ':s:' .. channel, 'n', string.format('%.0f', nextSerial()))
end
local members, isRest = {}, 0
if json ~= '' then
  local all = root .. ':m:' .. channel
  local since = ARGV[12] ~= '' and not isHeldBack and redis.call('ZCOUNT', all, '(' .. ARGV[12], '+inf')
  if since and redis.call('ZCARD', all) == tonumber(ARGV[13]) + since then
    members, isRest = infosOf(channel, redis.call('ZRANGEBYSCORE', all, '(' .. ARGV[12], '+inf')), 1
  else
    members = membersOf(channel)
  end
end
local cached = ARGV[11] == '1' and cachedIn(channel)
return { 'OK', pending, isHeldBack and 1 or 0, serialOf(channel), members, caused, cached, isRest }
`;

/** 6 channel · 7 socket id */
export const LEAVE = `${ALSO_WHEN_FULL}${COMMON}
if isDead(inc) then return { 'FENCED' } end
if isLost() then return { 'LOST' } end
-- What a former incarnation still holds leaves when that is cleaned up.
remove(ARGV[6], ARGV[7], inc)
return { 'OK', pending, caused }
`;

/**
 * 6 incarnations that the process had before, joined by commas · 7 '1': the others have been told that these are gone
 * · then channel, socket id, user id, member as JSON or '', '1': only if it is there, '2': it has left since, of each. What was only
 * forgotten is no transition for webhooks; what was announced as gone, because a former incarnation is dead here, is one when it comes back.
 */
export const RESTORE = `${COMMON}
if isDead(inc) then return { 'FENCED' } end
if isLost() then return { 'LOST' } end
local isSilent = ARGV[7] ~= '1'
isLate = not isSilent
for former in string.gmatch(ARGV[6], '[^,]+') do
  if isDead(former) then isSilent, isLate = false, false end
end
setWanted()
for i = 8, #ARGV, 5 do
  local channel, user, json, how = ARGV[i], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  if how ~= '2' then
    add(channel, ARGV[i + 1], user, json, isSilent, how == '1')
  else
    if user ~= '' then leftMeanwhile(channel, user) end
    leftMeanwhile(channel, '')
  end
end
return { 'OK', pending }
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
local left = redis.call('SCARD', held)
if left == 0 then redis.call('SREM', root .. ':v', inc) end
return { 'OK', pending, left }
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
return { 'OK', '0' }
`;

/** 6 channel · 7 '1': with members · 8 '1': with the cached event */
export const FIND = `${COMMON}
local channel = ARGV[6]
local members = ARGV[7] == '1' and membersOf(channel)
local cached = ARGV[8] == '1' and cachedIn(channel)
local users = redis.call('ZCARD', root .. ':m:' .. channel)
return { 'OK', '0', isHeldBack and 1 or 0, serialOf(channel), countOf(channel), users, members, cached }
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
return { 'OK', '0', found }
`;

/**
 * 6 and on: user ids. The serial up to which the answer holds, and 1 for each that is online. Where the data were lost there
 * is no serial any more, and the next one will be of its time: that of now is before it.
 */
export const ONLINE = `${COMMON}
local found = {}
for i = 6, #ARGV do found[#found + 1] = redis.call('EXISTS', root .. ':s:' .. ARGV[i]) end
local serial = math.max(time[1] * 1000000 + time[2], tonumber(redis.call('GET', root .. ':n') or '0'))
return { 'OK', '0', isHeldBack and 1 or 0, string.format('%.0f', serial), found }
`;

/** KEYS[1] is `root:n`. 1 an incarnation that has been here. Whether that is still known. */
export const KNOWS = `
local root = string.sub(KEYS[1], 1, -3)
local isKnown = redis.call('EXISTS', root .. ':h:' .. ARGV[1]) == 1 or redis.call('ZSCORE', root .. ':f', ARGV[1])
return isKnown and 1 or 0
`;
