#!lua flags=allow-oom
-- Outcomes in, each fenced by its batch. A completion of a plain job has a short way; for the rest the caller sends what
-- the settle rule says for a job that is to be cancelled and for one that is not.
-- ARGV[4], [6]...  completions: id (16 bytes), batch I6, result as a text
-- ARGV[5], [7]...  others, after those and before the next: kind B (0 completed, else the move), id, batch I6, attempt I3,
--                  attemptsMax d, crashes I2; then for a completion the result as a text, else two changes: one if
--                  cancellation was not asked for, one if it was
-- Reply            a byte each: the state, or 255 for lost
-- Needs: change, wire
local MOVES = { [0] = 'complete', 'retry', 'fail', 'cancel', 'snooze', 'release' }
local LOST, COMPLETED_BYTE = string.char(255), string.char(COMPLETED)
local NOTHING_BYTES = pack('<I4', NOTHING)
local finishedAt = pack('<I7', now)
local MOST = 4000
local states = {}

-- Completions on the short way, written together. `written` has those of this script, `batches` and `uppers` how many
-- had the same bytes of batch and, but for the lowest, of seq.
local fields, ended, bytesAdded, batches, uppers, written = {}, {}, {}, {}, {}, {}

local function write()
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
  for batch, by in pairs(batches) do depart((unpackStruct('<I6', batch)), by) end
  hint('settled')
  fields, ended, bytesAdded, batches, uppers = {}, {}, {}, {}, {}
end

-- The form of a record once its job is completed the short way; false where that cannot be: the job has a key or a unique
-- key, does not run, or its queue keeps no completed jobs.
local function completedForm(record, form, result)
  if form.state ~= RUNNING or has(form.flags, KEY + UNIQUE) > 0 or dropsAll(form.queue, COMPLETED) then return false end
  local flags = with(without(form.flags, BATCH), FINISHED)
  return formBytes(record, form, COMPLETED, result and with(flags, RESULT) or flags)
end

-- Where this can be done, it writes what change.applyChange would write, and returns true. `result` has its length.
local function completePlain(id, record, form, batch, result)
  local kind = result and 'completedWith' or 'completed'
  if form[kind] == nil then form[kind] = completedForm(record, form, result) end
  if not form[kind] then return false end
  local resultAt = form.textsAt
  if has(form.flags, PROGRESS) > 0 then resultAt = resultAt + 4 + unpackStruct('<I4', record, resultAt) end
  local changed = form[kind] .. sub(record, FORM_BYTES + 1, form.batchAt - 1) .. finishedAt ..
    sub(record, form.ticketAt, resultAt - 1) .. (result or '') .. sub(record, resultAt)
  local size = #fields
  fields[size + 1], fields[size + 2] = id, changed
  local queue = form.queue
  local ids = ended[queue]
  if not ids then
    ids = {}
    ended[queue], bytesAdded[queue] = ids, 0
  end
  ids[#ids + 1] = id
  bytesAdded[queue] = bytesAdded[queue] + #changed
  written[id], loaded[id] = true, nil
  local upper = sub(record, FORM_BYTES + 2, FORM_BYTES + 6)
  uppers[upper] = (uppers[upper] or 0) + 1
  batches[batch] = (batches[batch] or 0) + 1
  return true
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

-- Both as they came: the batch as its bytes, the result with its length.
local function complete(id, record, batch, result)
  local form = record and formOf(record)
  if not form or sub(record, form.batchAt, form.finishedAt - 1) ~= batch or written[id] then return LOST end
  if completePlain(id, record, form, batch, result) then return COMPLETED_BYTE end
  return settleSaved(id, { kind = 0, batch = unpackStruct('<I6', batch), result = result and sub(result, 5) })
end

local function settleCompletions(bytes)
  local ids, batchOf, resultOf, size, at, last = {}, {}, {}, 0, 1, #bytes
  while at <= last do
    size = size + 1
    ids[size], batchOf[size] = sub(bytes, at, at + 15), sub(bytes, at + 16, at + 21)
    local length = sub(bytes, at + 22, at + 25)
    local to = at + 25
    if length ~= NOTHING_BYTES then
      to = to + unpackStruct('<I4', length)
      resultOf[size] = sub(bytes, at + 22, to)
    end
    at = to + 1
  end
  for from = 1, size, MOST do
    local to = math.min(from + MOST - 1, size)
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
