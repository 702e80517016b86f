-- Part: leases. One record a claimed batch, not one a job. A job is held by a batch while its record has the batch's
-- number, which never repeats, so that number fences. Needs: begin
--   batches           hash: number -> expiresAt I7, queue I4, length of the worker's id I2, that id, length of the claim's id
--                     I2, that id, number of jobs claimed I4, their ids (packIds)
--   live              hash: number -> jobs that are still held
--   expiry            sorted set of batches by expiresAt
--   holds:<workerId>  set of the batches of a worker
local function openBatch()
  return call('INCR', base .. 'batch')
end

-- Ids in a row: 16 bytes each when all are UUIDs. Others are longer, which shows in the sum: then each has its length I2
-- before it.
local function packIds(ids)
  local bytes = table.concat(ids)
  if #bytes == 16 * #ids then return bytes end
  local parts = {}
  for index, id in ipairs(ids) do parts[index] = pack('<I2', #id) .. id end
  return table.concat(parts)
end

local function unpackIds(bytes, size)
  local ids = {}
  if #bytes == 16 * size then
    for index = 1, size do ids[index] = sub(bytes, index * 16 - 15, index * 16) end
    return ids
  end
  local at = 1
  for index = 1, size do ids[index], at = unpackStruct('<I2c0', bytes, at) end
  return ids
end

-- `ids` is what packIds gave for `size` jobs.
local function closeBatch(batch, holder, expiresAt, ids, size)
  local worker, claim = pack('<I2', #holder.workerId) .. holder.workerId, pack('<I2', #holder.claimId) .. holder.claimId
  call('HSET', base .. 'batches', batch, pack('<I7I4', expiresAt, holder.queue) .. worker .. claim .. pack('<I4', size) .. ids)
  call('HSET', base .. 'live', batch, size)
  call('ZADD', base .. 'expiry', text(expiresAt), batch)
  call('SADD', base .. 'holds:' .. holder.workerId, batch)
end

-- { number, expiresAt, queue, workerId, claimId, ids }, nil when there is none.
local function readBatch(batch)
  local value = call('HGET', base .. 'batches', batch)
  if not value then return nil end
  local expiresAt, queue, workerId, claimId, size, at = unpackStruct('<I7I4I2c0I2c0I4', value)
  return { number = tonumber(batch), expiresAt = expiresAt, queue = queue, workerId = workerId, claimId = claimId,
    ids = unpackIds(sub(value, at), size) }
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
        local _, _, workerId = unpackStruct('<I7I4I2c0', value)
        call('SREM', base .. 'holds:' .. workerId, text(batch))
      end
      call('HDEL', base .. 'live', text(batch))
      call('HDEL', base .. 'batches', text(batch))
      call('ZREM', base .. 'expiry', text(batch))
    end
  end
end
