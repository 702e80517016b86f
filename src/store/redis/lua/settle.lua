#!lua flags=allow-oom
-- Outcomes in, each fenced by its batch. A completion of a plain job has a short way; for the rest the caller sends what
-- the settle rule says for a job that is to be cancelled and for one that is not.
-- ARGV[4], [6]...  completions, in runs of one batch: batch I6, how many I4, their ids (16 bytes each); then 0 (I4) where none
--                  has a result, else 1 and the results: length I4, and where there is one the text and its length again
-- ARGV[5], [7]...  others, after those and before the next: kind B (0 completed, else the move), id, batch I6, attempt I3,
--                  attemptsMax d, crashes I2; then for a completion the result as a text, else two changes: one if
--                  cancellation was not asked for, one if it was
-- Reply            a byte each: the state, or 255 for lost
-- Needs: change, wire
local MOVES = { [0] = 'complete', 'retry', 'fail', 'cancel', 'snooze', 'release' }
local LOST, COMPLETED_BYTE = string.char(255), string.char(COMPLETED)
local finishedAt = pack('<I7', now)
local MOST = 4000
local states = {}

-- Completions on the short way, written together. `written` has those of this script, `batches` and `uppers` how many
-- had the same bytes of batch and, but for the lowest, of seq.
local fields, ended, bytesAdded, batches, uppers, written = {}, {}, {}, {}, {}, {}
-- Those that are deleted as they end, by number of the queue.
local dropped, droppedUppers = {}, {}

local function writeDropped()
  for queue, ids in pairs(dropped) do
    callMany('HDEL', jobsKey, ids)
    countDelta[queue * 8 + RUNNING] = (countDelta[queue * 8 + RUNNING] or 0) - #ids
    hintRoom(queue)
    hint('settled')
  end
  for upper, by in pairs(droppedUppers) do
    local seq = unpackStruct('<I5', upper) * 256
    local place = floor(seq / CHUNK) * 8
    placeDelta[place + RUNNING] = (placeDelta[place + RUNNING] or 0) - by
    leaveChunk(seq)
  end
  dropped, droppedUppers = {}, {}
end

local function write()
  writeDropped()
  for batch, by in pairs(batches) do depart((unpackStruct('<I6', batch)), by) end
  batches = {}
  if #fields == 0 then return end
  callMany('HSET', jobsKey, fields, 2)
  for queue, ids in pairs(ended) do
    countDelta[queue * 8 + RUNNING] = (countDelta[queue * 8 + RUNNING] or 0) - #ids
    countDelta[queue * 8 + COMPLETED] = (countDelta[queue * 8 + COMPLETED] or 0) + #ids
    countBytes(queue, COMPLETED, bytesAdded[queue])
    pushEnded(queue, COMPLETED, now, ids)
    hintRoom(queue)
  end
  for upper, by in pairs(uppers) do
    local place = floor(unpackStruct('<I5', upper) * 256 / CHUNK) * 8
    placeDelta[place + RUNNING] = (placeDelta[place + RUNNING] or 0) - by
    placeDelta[place + COMPLETED] = (placeDelta[place + COMPLETED] or 0) + by
  end
  hint('settled')
  fields, ended, bytesAdded, uppers = {}, {}, {}, {}
end

-- By the front of a record: its batch as bytes, its queue, where the rest begins and, where a job may be completed the
-- short way, its front then. It may not with a key or a unique key, or a trail when its queue keeps no completed jobs. Nil
-- for a job that is in no batch.
local fronts, lastBytes = {}, FORM_BYTES
local function frontOf(record)
  -- Most are as long as the one before. A front has the length its form tells, so no other can be taken for one.
  local front = fronts[sub(record, 1, lastBytes)]
  if front then return front end
  local form = formOf(record)
  if has(form.flags, BATCH) == 0 then return nil end
  lastBytes = form.seqAt - 1
  local bytes = sub(record, 1, lastBytes)
  front = fronts[bytes]
  if front then return front end
  front = { batch = sub(record, form.batchAt, form.finishedAt - 1), queue = form.queue, restAt = form.seqAt,
    drops = dropsAll(form.queue, COMPLETED) }
  front.isShort = form.state == RUNNING and has(form.flags, front.drops and KEY + UNIQUE + TRAIL or KEY + UNIQUE) == 0
  local flags = with(without(form.flags, BATCH), FINISHED)
  local between = sub(record, FORM_BYTES + 1, form.batchAt - 1) .. finishedAt
  front.completed = formBytes(record, form, COMPLETED, flags) .. between
  front.completedWith = formBytes(record, form, COMPLETED, with(flags, RESULT)) .. between
  if has(form.flags, WIDE) == 0 then fronts[bytes] = front end
  return front
end

local function drop(id, queue, upper)
  local ids = dropped[queue]
  if not ids then
    ids = {}
    dropped[queue] = ids
  end
  ids[#ids + 1] = id
  droppedUppers[upper] = (droppedUppers[upper] or 0) + 1
end

-- Where the front allows it, it writes what change.applyChange would write. `result` has its length behind it.
local function completePlain(id, record, front, result)
  local queue, batch, upper = front.queue, front.batch, sub(record, front.restAt + 1, front.restAt + 5)
  written[id], loaded[id] = true, nil
  batches[batch] = (batches[batch] or 0) + 1
  if front.drops then return drop(id, queue, upper) end
  local changed
  if result then changed = front.completedWith .. sub(record, front.restAt) .. result
  else changed = front.completed .. sub(record, front.restAt) end
  local size = #fields
  fields[size + 1], fields[size + 2] = id, changed
  local ids = ended[queue]
  if not ids then
    ids = {}
    ended[queue], bytesAdded[queue] = ids, 0
  end
  ids[#ids + 1] = id
  bytesAdded[queue] = bytesAdded[queue] + #changed
  uppers[upper] = (uppers[upper] or 0) + 1
end

-- The long way, for a job as it is saved. `item` has batch and result or changes.
local function settleSaved(id, item)
  write()
  local job = load(id)
  if not job or job.state ~= RUNNING or job.batch ~= item.batch then return LOST end
  local change
  if item.kind == 0 then
    change = { state = COMPLETED, attempt = job.attempt, crashes = job.crashes, finishedAt = now, result = item.result }
  else
    if job.attempt ~= item.attempt or job.attemptsMax ~= item.attemptsMax or job.crashes ~= item.crashes then return LOST end
    change = job.cancel and item.cancelled or item.plain
  end
  applyChange(job, MOVES[item.kind], change)
  return string.char(change.state)
end

-- Both as they came: the batch as its bytes, the result with its length behind it.
local function complete(id, record, batch, result)
  local front = record and frontOf(record)
  if not front or front.batch ~= batch or written[id] then return LOST end
  if front.isShort then
    completePlain(id, record, front, result)
    return COMPLETED_BYTE
  end
  return settleSaved(id, { kind = 0, batch = unpackStruct('<I6', batch), result = result and sub(result, 1, -5) })
end

-- Of jobs of one batch; ids, batches and results are added to the lists given.
local function readRun(bytes, at, ids, batchOf, resultOf)
  local batch, size, next = sub(bytes, at, at + 5), unpackStruct('<I4', bytes, at + 6)
  local from = #ids
  for index = from + 1, from + size do
    ids[index], batchOf[index] = sub(bytes, next, next + 15), batch
    next = next + 16
  end
  local length
  length, at = unpackStruct('<I4', bytes, next)
  if length == 0 then return at end
  for index = from + 1, from + size do
    length, at = unpackStruct('<I4', bytes, at)
    if length ~= NOTHING then
      resultOf[index] = sub(bytes, at, at + length + 3)
      at = at + length + 4
    end
  end
  return at
end

local function settleCompletions(bytes)
  local ids, batchOf, resultOf, at = {}, {}, {}, 1
  while at <= #bytes do at = readRun(bytes, at, ids, batchOf, resultOf) end
  for from = 1, #ids, MOST do
    local to = math.min(from + MOST - 1, #ids)
    local found = call('HMGET', jobsKey, unpack(ids, from, to))
    for index = from, to do
      local id, record = ids[index], found[index - from + 1]
      -- What the long way changed before is not what was read.
      if record and loaded[id] ~= nil then record = call('HGET', jobsKey, id) end
      states[#states + 1] = complete(id, record, batchOf[index], resultOf[index])
    end
    write()
  end
end

local function settleOthers(bytes)
  local read = reader(bytes)
  while read.more() do
    local item = { kind = read.number('B') }
    local id = read.id()
    item.batch = read.number('<I6')
    item.attempt, item.attemptsMax, item.crashes = read.number('<I3'), read.number('<d'), read.number('<I2')
    if item.kind == 0 then item.result = read.text()
    else item.plain, item.cancelled = read.change(now), read.change(now) end
    states[#states + 1] = settleSaved(id, item)
  end
end

for index = 4, #ARGV, 2 do
  settleCompletions(ARGV[index])
  settleOthers(ARGV[index + 1])
end
return reply(table.concat(states))
