-- Part: begin. What every script starts with.
-- KEYS[1]  `{<prefix>}:`, the start of every key of the store. It is the only key that is declared: all others start
--          with it, so all lie in the one hash slot it names, which is what a cluster asks for.
-- ARGV[1]  now in whole ms since the epoch; '' for the server's clock
-- ARGV[2]  the store object that asks; its own hints are ignored by its subscriber
-- ARGV[3]  PUBLISH, or SPUBLISH on a cluster; where an argument behind it comes in pieces (request.ts), then for each of those
--          arguments a space and how many pieces it has
-- ARGV[4]... what the verb takes
-- Reply    { hints, now, ... what the verb answers }; hints is a sum of 1 ready, 2 control, 4 settled
local base = KEYS[1]
local call, pack, unpackStruct = redis.call, struct.pack, struct.unpack
local sub, byte, floor = string.sub, string.byte, math.floor
local jobsKey = base .. 'jobs'

local ARGV = ARGV
local publish = string.match(ARGV[3], '^%u+')
if publish ~= ARGV[3] then
  local whole, at = { ARGV[1], ARGV[2], publish }, 4
  for pieces in string.gmatch(ARGV[3], '%d+') do
    whole[#whole + 1] = table.concat(ARGV, '', at, at + pieces - 1)
    at = at + pieces
  end
  ARGV = whole
end

local now
if ARGV[1] == '' then
  local time = call('TIME')
  now = time[1] * 1000 + floor(time[2] / 1000)
else
  now = tonumber(ARGV[1])
end

local BLOCKED, SCHEDULED, READY, RUNNING, COMPLETED, FAILED, CANCELLED = 0, 1, 2, 3, 4, 5, 6
local HINTS = { ready = 1, control = 2, settled = 4 }
local hints = {}
local function hint(topic)
  hints[topic] = true
end

-- Run when the verb is done: what was counted on the way is written then.
local atEnd = {}
local function reply(...)
  for index = 1, #atEnd do atEnd[index]() end
  local told, letters = 0, ''
  for topic in pairs(hints) do
    told = told + HINTS[topic]
    if topic ~= 'settled' then letters = letters .. sub(topic, 1, 1) end
  end
  if letters ~= '' then call(publish, base .. 'hints', letters .. ' ' .. ARGV[2]) end
  if hints.settled then call(publish, base .. 'hints:settled', 's ' .. ARGV[2]) end
  return { told, now, ... }
end

-- A call with more values than Lua's stack takes is made in parts; `step` values belong together.
local function callMany(command, key, values, step)
  local most = 4000 - 4000 % (step or 1)
  for from = 1, #values, most do
    call(command, key, unpack(values, from, math.min(from + most - 1, #values)))
  end
end

-- Whole ms; rounded up, so that nothing runs early.
local function wholeMs(ms)
  return math.ceil(ms)
end

-- Numbers as text without an exponent.
local function text(number)
  return string.format('%.0f', number)
end
