#!lua flags=allow-oom
-- Outcomes in, each fenced by its batch. A completion of a plain job has a short way; for the rest the caller sends what
-- the settle rule says for a job that is to be cancelled and for one that is not.
-- ARGV[4]  settlements: kind B (0 completed, else the move), id, batch I6, attempt I3, attemptsMax d, crashes I2; then for a
--          completion the result as a text, else two changes: one if cancellation was not asked for, one if it was
-- Reply    a byte each: the state, or 255 for lost
-- Needs: change, wire
local MOVES = { [0] = 'complete', 'retry', 'fail', 'cancel', 'snooze', 'release' }
local LOST = string.char(255)
local PLAIN = KEY + UNIQUE
local COMPLETED_BYTE = string.char(COMPLETED)

-- Completions on the short way, written together.
local records, ended, bytesAdded = {}, {}, {}
local written = {}

local function write()
  if #records == 0 then return end
  callMany('HSET', jobsKey, records, 2)
  for queue, ids in pairs(ended) do
    countDelta[queue * 8 + RUNNING] = (countDelta[queue * 8 + RUNNING] or 0) - #ids
    countDelta[queue * 8 + COMPLETED] = (countDelta[queue * 8 + COMPLETED] or 0) + #ids
    countBytes(queue, COMPLETED, bytesAdded[queue])
    pushEnded(queue, COMPLETED, now, ids)
    hintRoom(queue)
  end
  hint('settled')
  records, ended, bytesAdded = {}, {}, {}
end

local dropped = {}
local function drops(queue)
  if dropped[queue] == nil then dropped[queue] = dropsAll(queue, COMPLETED) end
  return dropped[queue]
end

-- Where this can be done, it writes what change.applyChange would write, and returns true.
local function completePlain(id, record, batch, result)
  local seq, state, flags, attempt, crashes, queue, task, priority, attemptsMax, createdAt = unpackStruct(HEAD, record)
  if has(flags, PLAIN) > 0 or drops(queue) then return false end
  local at = HEAD_BYTES + 7
  if has(flags, WIDE) > 0 then at = at + 7 end
  if has(flags, DUE) > 0 then at = at + 7 end
  -- `at` is where the batch stands, behind the start.
  local restAt = at + 6
  if has(flags, TICKET) > 0 then restAt = restAt + 6 end
  if has(flags, PROGRESS) > 0 then restAt = restAt + 4 + unpackStruct('<I4', record, restAt) end
  local before = sub(record, at + 6, restAt - 1)
  flags = with(without(flags, BATCH), FINISHED)
  if result then
    flags = with(flags, RESULT)
    before = before .. pack('<I4', #result) .. result
  end
  local changed = pack(HEAD, seq, state - RUNNING + COMPLETED, flags, attempt, crashes, queue, task, priority, attemptsMax,
    createdAt) .. sub(record, HEAD_BYTES + 1, at - 1) .. pack('<I7', now) .. before .. sub(record, restAt)
  local size = #records
  records[size + 1], records[size + 2] = id, changed
  local ids = ended[queue]
  if not ids then
    ids = {}
    ended[queue], bytesAdded[queue] = ids, 0
  end
  ids[#ids + 1] = id
  bytesAdded[queue] = bytesAdded[queue] + #changed
  written[id] = true
  local place = floor(seq / CHUNK) * 8
  placeDelta[place + RUNNING] = (placeDelta[place + RUNNING] or 0) - 1
  placeDelta[place + COMPLETED] = (placeDelta[place + COMPLETED] or 0) + 1
  depart(batch)
  return true
end

-- The record's batch; nil when the job does not run.
local function batchOf(record)
  local _, state, flags = unpackStruct(HEAD, record)
  if state % 16 ~= RUNNING then return nil end
  local at = HEAD_BYTES + 7
  if has(flags, WIDE) > 0 then at = at + 7 end
  if has(flags, DUE) > 0 then at = at + 7 end
  return (unpackStruct('<I6', record, at))
end

local items, ids = {}, {}
do
  local read = reader(ARGV[4])
  while read.more() do
    local item = { kind = read.number('B'), id = read.id(), batch = read.number('<I6') }
    item.attempt, item.attemptsMax, item.crashes = read.number('<I3'), read.number('<d'), read.number('<I2')
    if item.kind == 0 then item.result = read.text()
    else item.plain, item.cancelled = read.change(now), read.change(now) end
    items[#items + 1], ids[#ids + 1] = item, item.id
  end
end

local function settleOne(item, record)
  if not record or written[item.id] or batchOf(record) ~= item.batch then return LOST end
  if item.kind == 0 and completePlain(item.id, record, item.batch, item.result) then return COMPLETED_BYTE end
  write()
  local job = load(item.id)
  if not job or job.state ~= RUNNING or job.batch ~= item.batch then return LOST end
  if job.attempt ~= item.attempt or job.attemptsMax ~= item.attemptsMax or job.crashes ~= item.crashes then return LOST end
  local change = job.cancel and item.cancelled or item.plain
  if item.kind == 0 then
    change = { state = COMPLETED, attempt = job.attempt, crashes = job.crashes, finishedAt = now, result = item.result }
  end
  applyChange(job, MOVES[item.kind], change)
  return string.char(change.state)
end

local states = {}
local MOST = 4000
for from = 1, #items, MOST do
  local to = math.min(from + MOST - 1, #items)
  local found = call('HMGET', jobsKey, unpack(ids, from, to))
  for index = from, to do
    local item = items[index]
    -- What this script changed before is not what was read.
    local record = found[index - from + 1]
    if record and loaded[item.id] ~= nil then record = call('HGET', jobsKey, item.id) end
    states[index] = settleOne(item, record)
  end
  write()
end
return reply(table.concat(states))
