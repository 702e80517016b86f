-- Part: whole. Batches that were completed whole, by one settlement and without results. Their jobs' records stay as they were
-- leased, which spares rewriting each; what is common to all stands once. Needs: record
--
--   wholeAt:<queue>   hash: number of the batch -> finishedAt I7
--   wholeIds:<queue>  hash: number -> jobs I4, their ids (packIds); also of jobs that are gone
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
    wholes[batch] = finishedAt
  end
  return finishedAt
end

local function asItStands(record)
  local form = formOf(record)
  if form.state ~= RUNNING or has(form.flags, BATCH) == 0 then return record end
  local finishedAt = wholeAt(form.queue, sub(record, form.batchAt, form.batchAt + 5))
  if not finishedAt then return record end
  return completedFront(record, form, form.flags, finishedAt) .. sub(record, form.seqAt)
end

local function addWhole(queue, batch, size, packed)
  local number = text((unpackStruct('<I6', batch)))
  wholes[batch] = pack('<I7', now)
  call('HSET', base .. 'wholeAt:' .. queue, number, wholes[batch])
  call('HSET', base .. 'wholeIds:' .. queue, number, pack('<I4', size) .. packed)
end

-- Ids of all its jobs, by its entry in the list of those that ended.
local function idsOfWhole(queue, entry)
  local value = call('HGET', base .. 'wholeIds:' .. queue, text((unpackStruct('<I6', entry))))
  if not value then return {} end
  local size, at = unpackStruct('<I4', value)
  return unpackIds(sub(value, at), size)
end
