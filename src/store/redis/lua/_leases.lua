-- Part: leases. One record a claimed batch, not one a job. A job is held by a batch while its record has the batch's
-- number, which never repeats, so that number fences. Needs: begin
--   batches           hash: number -> expiresAt I7, queue I3, length of the worker's id I2, that id, length of the claim's id
--                     I2, that id, then the ids of the jobs claimed, each with its length I2 before it
--   live              hash: number -> jobs that are still held
--   expiry            sorted set of batches by expiresAt
--   holds:<workerId>  set of the batches of a worker
local function openBatch()
  return call('INCR', base .. 'batch')
end

-- `members` is a list of strings, each an id with its length before it.
local function closeBatch(batch, workerId, claimId, queue, expiresAt, members)
  local head = pack('<I3I2', queue, #workerId) .. workerId .. pack('<I2', #claimId) .. claimId
  call('HSET', base .. 'batches', batch, pack('<I7', expiresAt) .. head .. table.concat(members))
  call('HSET', base .. 'live', batch, #members)
  call('ZADD', base .. 'expiry', text(expiresAt), batch)
  call('SADD', base .. 'holds:' .. workerId, batch)
end

-- { number, expiresAt, queue, workerId, claimId, ids }, nil when there is none.
local function readBatch(batch)
  local value = call('HGET', base .. 'batches', batch)
  if not value then return nil end
  local expiresAt, queue, workerLength, at = unpackStruct('<I7I3I2', value)
  local workerId = sub(value, at, at + workerLength - 1)
  local claimLength
  claimLength, at = unpackStruct('<I2', value, at + workerLength)
  local claimId = sub(value, at, at + claimLength - 1)
  at = at + claimLength
  local ids = {}
  while at <= #value do
    local length
    length, at = unpackStruct('<I2', value, at)
    ids[#ids + 1] = sub(value, at, at + length - 1)
    at = at + length
  end
  return { number = tonumber(batch), expiresAt = expiresAt, queue = queue, workerId = workerId, claimId = claimId, ids = ids }
end

local function renewBatch(batch, expiresAt)
  local value = call('HGET', base .. 'batches', batch)
  call('HSET', base .. 'batches', batch, pack('<I7', expiresAt) .. sub(value, 8))
  call('ZADD', base .. 'expiry', text(expiresAt), batch)
end

local departed = {}
-- A job left its batch; batches that are empty then are dropped when the script is done.
local function depart(batch, jobs)
  departed[batch] = (departed[batch] or 0) + (jobs or 1)
end

atEnd[#atEnd + 1] = function()
  for batch, jobs in pairs(departed) do
    if call('HINCRBY', base .. 'live', text(batch), -jobs) <= 0 then
      local value = call('HGET', base .. 'batches', text(batch))
      if value then
        local _, _, workerLength, at = unpackStruct('<I7I3I2', value)
        call('SREM', base .. 'holds:' .. sub(value, at, at + workerLength - 1), text(batch))
      end
      call('HDEL', base .. 'live', text(batch))
      call('HDEL', base .. 'batches', text(batch))
      call('ZREM', base .. 'expiry', text(batch))
    end
  end
end
