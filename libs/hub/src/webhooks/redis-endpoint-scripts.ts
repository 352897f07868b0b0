/*
 * What an endpoint of webhooks is still to be told, in one stream. KEYS[1] is `{prefix:hook:<endpoint>}:q`, and the
 * keys of an endpoint live together. Anybody may append the same once more: entries of a bucket come in the order of
 * their ids, and the last that came from each is known.
 */

/** What is not told within a day is forgotten, with the memory of where it came from. */
const KEPT_MS = 24 * 3_600_000;

/** 1 where it comes from · 2 most entries of the stream · then id, event of each. Answers how many there was no room for. */
export const APPEND = `
local root = string.sub(KEYS[1], 1, -3)
local function parts(id)
  local ms, n = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(n)
end
local lastMs, lastN = parts(redis.call('HGET', root .. ':s', ARGV[1]) or '0-0')
local length, refused = redis.call('XLEN', KEYS[1]), 0
for i = 3, #ARGV, 2 do
  local ms, n = parts(ARGV[i])
  if ms > lastMs or (ms == lastMs and n > lastN) then
    if length < tonumber(ARGV[2]) then
      redis.call('XADD', KEYS[1], '*', 'e', ARGV[i + 1])
      length = length + 1
    else
      refused = refused + 1
    end
    lastMs, lastN = ms, n
    redis.call('HSET', root .. ':s', ARGV[1], ARGV[i])
  end
end
redis.call('PEXPIRE', KEYS[1], ${KEPT_MS})
redis.call('PEXPIRE', root .. ':s', ${KEPT_MS})
return refused
`;

/** 1 age, ms. Forgets what has waited for longer. Answers how many that were. */
export const EXPIRE = `
local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[1])
return redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f', oldest))
`;
