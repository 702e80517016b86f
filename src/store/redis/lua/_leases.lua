-- Part: leases. One record a claimed batch, not one a job. A job is held by a batch while its record has the batch's
-- number, which never repeats, so that number fences. Needs: record
--   batches           hash: number -> expiresAt I7, queue I4, length of the worker's id I2, that id, length of the claim's id
--                     I2, that id, number of jobs claimed I4, their ids (packIds)
--   live              hash: number -> jobs that are still held
--   intact            hash: number -> of a batch of jobs without key, unique key, meta and trail that are all as they were leased: bytes of their records if they
--                     were completed I6, then for each upper part of seq (all but its last byte, big-endian) that part and
--                     how many jobs have it I4; the first job that is changed or leaves takes it away
--   expiry            sorted set of batches by expiresAt
--   holds:<workerId>  set of the batches of a worker
local function openBatch()
  local number = call('INCR', base .. 'batch')
  if number > 1 or call('EXISTS', base .. 'batches', base .. 'endedAt') == 0 then return number end
  number = numberAfterLoss()
  call('SET', base .. 'batch', text(number))
  return number
end

-- `ids` is what packIds gave for `size` jobs.
local function closeBatch(batch, holder, expiresAt, ids, size)
  local worker, claim = pack('<I2', #holder.workerId) .. holder.workerId, pack('<I2', #holder.claimId) .. holder.claimId
  call('HSET', base .. 'batches', batch, pack('<I7I4', expiresAt, holder.queue) .. worker .. claim .. pack('<I4', size) .. ids)
  call('HSET', base .. 'live', batch, size)
  call('ZADD', base .. 'expiry', text(expiresAt), batch)
  call('SADD', base .. 'holds:' .. holder.workerId, batch)
end

-- { number, expiresAt, queue, workerId, claimId, size, packed }, nil when there is none that can be read; idsIn has its ids.
local function readBatch(batch)
  local value = call('HGET', base .. 'batches', batch)
  if not value then return nil end
  local expiresAt, queue, workerId, claimId, size, at = tryUnpack('<I7I4I2c0I2c0I4', value)
  if not at or #value - at + 1 < 16 * size then return nil end
  return { number = tonumber(batch), expiresAt = expiresAt, queue = queue, workerId = workerId, claimId = claimId,
    size = size, packed = sub(value, at) }
end

local function idsIn(batch)
  return unpackIds(batch.packed, batch.size)
end

-- False where there is none that can be read.
local function renewBatch(batch, expiresAt)
  if not readBatch(batch) then return false end
  local value = call('HGET', base .. 'batches', batch)
  call('HSET', base .. 'batches', batch, pack('<I7', expiresAt) .. sub(value, 8))
  call('ZADD', base .. 'expiry', text(expiresAt), batch)
  return true
end

local departed = {}
-- A job left its batch; batches that are empty then are dropped when the script is done.
local function depart(batch, jobs)
  if not departed[batch] then call('HDEL', base .. 'intact', text(batch)) end
  departed[batch] = (departed[batch] or 0) + (jobs or 1)
end

local function dropBatch(number, workerId)
  call('SREM', base .. 'holds:' .. workerId, number)
  call('HDEL', base .. 'live', number)
  call('HDEL', base .. 'batches', number)
  call('ZREM', base .. 'expiry', number)
end

atEnd[#atEnd + 1] = function()
  for batch, jobs in pairs(departed) do
    local number = text(batch)
    local left = call('HINCRBY', base .. 'live', number, -jobs)
    if left == 0 then
      local held = readBatch(number)
      dropBatch(number, held and held.workerId or '')
    elseif left < 0 then
      -- How many there are was lost: part strays counts them again.
      call('HDEL', base .. 'live', number)
    end
  end
end
