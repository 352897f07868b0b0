import { ALSO_WHEN_FULL, COMMON } from './redis-bucket-lua.js';

/*
 * What waits in a bucket for its time, or to be fetched for webhooks. Anybody may ask, and ask again: who was told of
 * what is compared with the state, and what has been done is no longer in the plan.
 */

/** So long after Redis came back empty nodes may come back that were frozen when it did. */
const REMEMBERED_MS = 10 * 60_000;

/**
 * 6 most names of the plan and most entries of a call. Tells what is due, and answers how long until the next is (ms;
 * negative: none), and the oldest entries for webhooks: id, fields.
 */
export const FALL_DUE = `${ALSO_WHEN_FULL}${COMMON}
local due = root .. ':d'
for _, name in ipairs(isHeldBack and {} or redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, ARGV[6])) do
  local told, length, rest = string.match(name, '^(.)(%d+):(.*)$')
  local channel, user = string.sub(rest, 1, length), string.sub(rest, length + 1)
  redis.call('ZREM', due, name)
  if told == 'k' then
    local count = countOf(channel)
    if count > 0 then tellCount(channel, count) end
  else
    local isMember, isThere = user ~= '', isPresent(channel, user)
    if told ~= '0' and not isThere then
      record(isMember and 'member_removed' or 'channel_vacated', channel, 'u', user)
      -- After Redis was empty: others may come back late, who remember that it was there.
      if now < tonumber(ARGV[2]) + ${REMEMBERED_MS} then
        redis.call('SADD', root .. ':z', nameOf(channel, user))
        redis.call('PEXPIRE', root .. ':z', ${REMEMBERED_MS})
      end
    elseif told == '0' and isThere then record(isMember and 'member_added' or 'channel_occupied', channel, 'u', user) end
  end
end
local next = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
local wait = next[2] and math.max(0, tonumber(next[2]) - now) or -1
return { 'OK', '0', wait, redis.call('XRANGE', root .. ':w', '-', '+', 'COUNT', ARGV[6]) }
`;

/** 6 channel · 7 name · 8 the event as webhooks have it. What is no change of the state, in order with those that are. */
export const RECORD = `${COMMON}
record(ARGV[7], ARGV[6], 'j', ARGV[8])
return { 'OK', pending }
`;

/** 6 and on: ids of entries that were fetched. */
export const FETCHED = `${ALSO_WHEN_FULL}${COMMON}
redis.call('XDEL', root .. ':w', unpack(ARGV, 6))
return { 'OK', '0' }
`;
