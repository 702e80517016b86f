-- Part: whole. Batches that were completed whole, by one settlement. Their jobs' records stay as they were leased, which
-- spares rewriting each; what is common to all stands once. Needs: record
--
--   wholeAt:<queue>       hash: number of the batch -> finishedAt I7
--   wholeIds:<queue>      hash: number -> jobs I4, their ids (packIds); also of jobs that are gone
--   wholeResults:<queue>  hash: number -> their results in this order, as settlements bring them; where there are any
--
-- `ended:<queue>:<completed>` has such a batch as one entry, its number I6, which is shorter than any id. A record that
-- says that its job runs, for a batch that is here, means that it is completed: asItStands gives it as it would be. Prune
-- lets batches fall apart into single jobs.
local WHOLE_MIN = 10
local WHOLE_BYTES = 6

local wholes = {}
-- By the batch's number as a record has it; finishedAt likewise, false for other batches.
local function wholeAt(queue, batch)
  local finishedAt = wholes[batch]
  if finishedAt == nil then
    finishedAt = call('HGET', base .. 'wholeAt:' .. queue, text((unpackStruct('<I6', batch))))
    if finishedAt and #finishedAt ~= 7 then finishedAt = false end
    wholes[batch] = finishedAt
  end
  return finishedAt
end

-- Ids of all its jobs, by its entry in the list of those that ended; none where they cannot be read.
local function idsOfWhole(queue, entry)
  local value = call('HGET', base .. 'wholeIds:' .. queue, text((unpackStruct('<I6', entry))))
  local size, at = nil, nil
  if value then size, at = tryUnpack('<I4', value) end
  return size and unpackIds(sub(value, at), size) or {}
end

-- Results as settlements bring them: of each job a length I4 (NOTHING for no result), and where there is one the text and its
-- length I4 again. Those of `size` jobs are put behind place `from` of `resultOf`, with the length behind them.
local NOTHING = 4294967295
local function readResults(bytes, at, from, size, resultOf)
  local length
  for index = from + 1, from + size do
    length, at = unpackStruct('<I4', bytes, at)
    if length ~= NOTHING then
      resultOf[index] = sub(bytes, at, at + length + 3)
      at = at + length + 4
    end
  end
  return at
end

local wholeResults = {}
-- By id, with the length behind it; nil for none.
local function resultOfWhole(queue, batch, id)
  local results = wholeResults[batch]
  if results == nil then
    local bytes = call('HGET', base .. 'wholeResults:' .. queue, text((unpackStruct('<I6', batch))))
    results = bytes and {}
    if bytes then
      local ids, list = idsOfWhole(queue, batch), {}
      pcall(readResults, bytes, 1, 0, #ids, list)
      for index, one in ipairs(ids) do results[one] = list[index] end
    end
    wholeResults[batch] = results
  end
  return results and results[id]
end

local function asItStands(id, record)
  local form = formOf(record)
  if form.state ~= RUNNING or has(form.flags, BATCH) == 0 then return record end
  local batch = sub(record, form.batchAt, form.batchAt + 5)
  local finishedAt = wholeAt(form.queue, batch)
  if not finishedAt then return record end
  local result = resultOfWhole(form.queue, batch, id)
  local front = completedFront(record, form, result and with(form.flags, RESULT) or form.flags, finishedAt)
  return front .. sub(record, form.seqAt) .. (result or '')
end

-- Of a record that cannot be read. `was` says what is known of its job from where it was found: state and queue. A verb
-- goes on without the job, and its caller has it set aside.
local function setAside(id, was)
  damaged[#damaged + 1] = 'j' .. pack('<BI4', was and was.state or 255, was and was.queue or 0) .. id
end

-- The record as it stands; nil where there is none that can be read.
local function readable(id, record, was)
  if not record then return nil end
  if isSound(record) then return asItStands(id, record) end
  setAside(id, was)
end

-- `results` '' for none.
local function addWhole(queue, batch, size, packed, results)
  local number = text((unpackStruct('<I6', batch)))
  wholes[batch], wholeResults[batch] = pack('<I7', now), nil
  call('HSET', base .. 'wholeAt:' .. queue, number, wholes[batch])
  call('HSET', base .. 'wholeIds:' .. queue, number, pack('<I4', size) .. packed)
  if results ~= '' then call('HSET', base .. 'wholeResults:' .. queue, number, results) end
end

local function dropWhole(queue, entry)
  local number = text((unpackStruct('<I6', entry)))
  for _, part in ipairs({ 'wholeAt:', 'wholeIds:', 'wholeResults:' }) do call('HDEL', base .. part .. queue, number) end
end
