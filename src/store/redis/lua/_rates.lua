-- Part: rates. How many jobs of a queue, or of one of its keys, started when; only where there is a rate.
-- Sorted set `starts:<queue>[:<key>]` by time: `<starts>:<time>`. Hash `used:<queue>`: key ('' for the queue itself) ->
-- sum of all starts in its set. What left the window goes with the next start. Needs: names
local function startsKey(queue, key)
  return base .. 'starts:' .. queue .. (key == '' and '' or ':' .. key)
end

local function startsOf(member)
  return numberIn(string.match(member, '^%d+'), 0)
end

-- Sum of what left the window, and how many entries that are.
local function expired(queue, key, rate)
  local sum = 0
  local members = call('ZRANGEBYSCORE', startsKey(queue, key), '-inf', text(floor(now - rate.perMs)))
  for _, member in ipairs(members) do sum = sum + startsOf(member) end
  return sum, #members
end

-- How many may start now; when none may, also the time the next one may.
local function roomOf(queue, key, rate)
  local gone, skipped = expired(queue, key, rate)
  local used = numberIn(call('HGET', base .. 'used:' .. queue, key), 0) - gone
  if used < rate.count then return rate.count - used, now end
  -- The window frees up when enough of the oldest starts leave it.
  local over, from = used - rate.count, skipped
  while true do
    local entries = call('ZRANGE', startsKey(queue, key), from, from + 99, 'WITHSCORES')
    if #entries == 0 then return 0, wholeMs(now + rate.perMs) end
    for index = 1, #entries, 2 do
      over = over - startsOf(entries[index])
      if over < 0 then return 0, wholeMs(tonumber(entries[index + 1]) + rate.perMs) end
    end
    from = from + 100
  end
end

local function takeStarts(queue, key, rate, starts)
  local set, gone = startsKey(queue, key), expired(queue, key, rate)
  if gone > 0 then call('ZREMRANGEBYSCORE', set, '-inf', text(floor(now - rate.perMs))) end
  local same = call('ZRANGEBYSCORE', set, text(now), text(now))[1]
  if same then call('ZREM', set, same) end
  call('ZADD', set, text(now), text(starts + (same and startsOf(same) or 0)) .. ':' .. text(now))
  call('HINCRBY', base .. 'used:' .. queue, key, starts - gone)
end

-- What a rate that is lifted leaves behind; keys ~= '' for those of its keys.
local function forgetStarts(queue, ofKeys)
  for _, key in ipairs(call('HKEYS', base .. 'used:' .. queue)) do
    if (key ~= '') == ofKeys then
      call('UNLINK', startsKey(queue, key))
      call('HDEL', base .. 'used:' .. queue, key)
    end
  end
end
