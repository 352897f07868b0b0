/*
 * Who is told of a change in a bucket: clients at once, on the channel's topic, and webhooks by the bucket's stream, when it
 * has settled. A part of what every script about a bucket has in common.
 */

/** A channel that is empty, or a member who has gone, is told of when it has stayed so. */
const SETTLE_MS = 3_000;
/** What nobody fetches: more than a busy bucket has in a minute, and no more than some MB. */
const MAX_UNREAD = 8_192;
const KEPT_MS = 24 * 3_600_000;
/** Above so many subscribers the count is told once in a while. */
const MANY_SUBSCRIBERS = 100;
const COUNT_PAUSE_MS = 5_000;

export const TELLING = `
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
  local header = struct.pack('>BBHBHd', 1, 5, 15, 2, 8, tonumber(serialOf(channel)))
  redis.call(publish, root .. topics .. channel, header .. count)
  if wants('w') then record('subscription_count', channel, 'u', count) end
end

-- Silent: as for transitions.
local function countChanged(channel, isSilent)
  if isUsers or not wants('k') then return end
  if string.sub(channel, 1, 9) == 'presence-' or string.sub(channel, 1, 1) == '#' then return end
  local count = countOf(channel)
  -- Each number has its serial: who has read a later one is not told this any more.
  if count > 0 then redis.call('HSET', root .. ':s:' .. channel, 'n', string.format('%.0f', nextSerial())) end
  if isHeldBack or isSilent then return end
  if count == 0 then
    redis.call('HDEL', root .. ':k', channel)
    redis.call('ZREM', root .. ':d', 'k' .. nameOf(channel, ''))
    return
  end
  local last = count > ${MANY_SUBSCRIBERS} and tonumber(redis.call('HGET', root .. ':k', channel) or '0') or 0
  if now - last < ${COUNT_PAUSE_MS} then plan(last + ${COUNT_PAUSE_MS}, 'k' .. nameOf(channel, ''))
  else tellCount(channel, count) end
end
`;
