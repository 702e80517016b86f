-- Part: begin. What every script starts with.
-- KEYS[1]  `{<prefix>}:`, the start of every key of the store. It is the only key that is declared: all others start
--          with it, so all lie in the one hash slot it names, which is what a cluster asks for.
-- ARGV[1]  now in whole ms since the epoch; '' for the server's clock
-- ARGV[2]  the store object that asks; its own hints are ignored by its subscriber
-- ARGV[3]  PUBLISH, or SPUBLISH on a cluster; where an argument behind it comes in pieces (request.ts), then for each of those
--          arguments a space and how many pieces it has
-- ARGV[4]... what the verb takes
-- Reply    { hints, now, ... what the verb answers }; hints is a sum of 1 ready, 2 control, 4 settled, 8 plan, 16 planEnded, and
--          128 where the verb met something it cannot read and left out: then a list of what that is, as aside.lua takes
--          it, is the last value, and of a verb that only reads the only one
local base = KEYS[1]
local tryCall, pack, unpackStruct = redis.pcall, struct.pack, struct.unpack
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

-- What the verb met and cannot read: of a job `j`, the state it should have (B; 255 where nothing tells), its queue (I4; 0
-- likewise) and its id; of a key that is of another type than it should be, `k`, that type, a space and the key.
local damaged = {}

-- A script is not undone, so that no call may end it once it wrote something: what is in the way is taken away, and the
-- call made again. A key of another type goes to a key of its own; in a verb that only reads it counts as empty.
local function callAgain(failure, command, key, ...)
  local reason = failure.err
  local function has(word) return string.find(reason, word, 1, true) end
  local function nothing()
    local types = { H = 'hash', L = 'list', Z = 'zset', S = 'set', G = 'string' }
    damaged[#damaged + 1] = 'k' .. types[sub(command, 1, 1)] .. ' ' .. key
    if string.find(command, 'LEN$') or string.find(command, 'CARD$') then return 0 end
    local isList = command == 'HMGET' or string.find(command, 'RANGE') or string.find(command, 'ALL$') or string.find(command, 'S$')
    return isList and {} or false
  end
  if has('WRONGTYPE') then
    if READING == 1 then return nothing() end
    local name = sub(key, #base + 1)
    tryCall('RENAME', key, base .. 'aside:' .. name)
    tryCall('HSET', base .. 'aside', 'key ' .. name, '')
  elseif command == 'HINCRBY' and has('integer') then
    tryCall('HDEL', key, (...))
  elseif command == 'INCR' and has('integer') then
    tryCall('UNLINK', key)
  elseif has('The user executing the script') or has('ACL failure') then
    -- Servers before 7.2 do not say of which command.
    error({ err = "NOPERM the '" .. string.lower(command) .. "' command of a script: " .. reason })
  else
    error(failure)
  end
  return redis.call(command, key, ...)
end

local function call(command, key, ...)
  local answer = tryCall(command, key, ...)
  if type(answer) == 'table' and answer.err then return callAgain(answer, command, key, ...) end
  return answer
end

-- Values of bytes that may be damaged: nil where they are too short.
local function tryUnpack(format, bytes, at)
  local isWhole, first, second, third, fourth, fifth, sixth, seventh = pcall(unpackStruct, format, bytes, at)
  if isWhole then return first, second, third, fourth, fifth, sixth, seventh end
end

-- Keeps bytes that belong to no job and cannot be read, in the hash `aside`, by what they are of.
local function keepAside(what, bytes)
  call('HSET', base .. 'aside', what, bytes)
end

-- A number that a key or a field holds; `default` where there is none.
local function numberIn(value, default)
  return value and tonumber(value) or default
end

local now
if ARGV[1] == '' then
  local time = tryCall('TIME')
  if time.err then callAgain(time, 'TIME') end
  now = time[1] * 1000 + floor(time[2] / 1000)
else
  now = tonumber(ARGV[1])
end

local SCHEDULED, READY, RUNNING, COMPLETED, FAILED, CANCELLED = 1, 2, 3, 4, 5, 6
local HINTS = { ready = 1, control = 2, settled = 4, plan = 8, planEnded = 16 }
-- On the channel `hints`; `settled` has one of its own.
local LETTERS = { ready = 'r', control = 'c', plan = 'p', planEnded = 'e' }
local hints = {}
local function hint(topic)
  hints[topic] = true
end

-- Run when the verb is done: what was counted on the way is written then.
local atEnd = {}
local function reply(...)
  if READING == 1 and #damaged > 0 then return { 128, now, damaged } end
  for index = 1, #atEnd do atEnd[index]() end
  local told, letters = 0, ''
  for topic in pairs(hints) do
    told = told + HINTS[topic]
    letters = letters .. (LETTERS[topic] or '')
  end
  if letters ~= '' then call(publish, base .. 'hints', letters .. ' ' .. ARGV[2]) end
  if hints.settled then call(publish, base .. 'hints:settled', 's ' .. ARGV[2]) end
  local values = { told, now, ... }
  if #damaged > 0 then
    values[1] = told + 128
    values[#values + 1] = damaged
  end
  return values
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

-- For a sequence whose last number is lost: beyond all that it gave, since no store gives one a millisecond for ever.
local function numberAfterLoss()
  return redis.call('TIME')[1] * 1000
end

-- Numbers as text without an exponent.
local function text(number)
  return string.format('%.0f', number)
end
