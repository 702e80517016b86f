-- Part: counts. Hash `counts`: queue * 8 + state -> jobs. Hash `places`: chunk * 8 + state -> jobs, where a chunk is
-- floor(seq / 1024): list passes over chunks without what it looks for. Hash `bytes`: queue * 8 + state -> bytes of the
-- records of ended jobs. Lists `all:<chunk>`: ids of jobs in the order of their seq; of jobs that are gone as well, until
-- the chunk has none left. Needs: record
local CHUNK = 1024
local countDelta, placeDelta, bytesDelta, gone = {}, {}, {}, {}

local function count(job, state, by)
  local field = job.queue * 8 + state
  countDelta[field] = (countDelta[field] or 0) + by
  field = floor(job.seq / CHUNK) * 8 + state
  placeDelta[field] = (placeDelta[field] or 0) + by
end

local function countBytes(queue, state, by)
  local field = queue * 8 + state
  bytesDelta[field] = (bytesDelta[field] or 0) + by
end

-- How many jobs of the queue are in the state, those counted by this script included.
local function counted(queue, state)
  local field = queue * 8 + state
  return numberIn(call('HGET', base .. 'counts', text(field)), 0) + (countDelta[field] or 0)
end

local function writeDeltas(key, deltas)
  for field, by in pairs(deltas) do
    if by ~= 0 and call('HINCRBY', key, text(field), by) == 0 then call('HDEL', key, text(field)) end
  end
end

-- To be called for a job that is deleted, after it was counted out.
local function leaveChunk(seq)
  gone[floor(seq / CHUNK)] = true
end

-- A chunk with no job left goes; one with few is rewritten, so that it takes the room of what it holds.
local function sweepChunks()
  for chunk in pairs(gone) do
    local key, left = base .. 'all:' .. text(chunk), 0
    local fields = {}
    for state = SCHEDULED, CANCELLED do fields[#fields + 1] = text(chunk * 8 + state) end
    for _, jobs in ipairs(call('HMGET', base .. 'places', unpack(fields))) do left = left + numberIn(jobs, 0) end
    if left == 0 then
      call('UNLINK', key)
    elseif left * 4 < call('LLEN', key) then
      local ids = call('LRANGE', key, 0, -1)
      local there, kept = call('HMGET', jobsKey, unpack(ids)), {}
      for index, id in ipairs(ids) do
        local record = there[index]
        if record and (not isSound(record) or floor(seqOf(record) / CHUNK) == chunk) then kept[#kept + 1] = id end
      end
      call('DEL', key)
      if #kept > 0 then call('RPUSH', key, unpack(kept)) end
    end
  end
end

atEnd[#atEnd + 1] = function()
  writeDeltas(base .. 'counts', countDelta)
  writeDeltas(base .. 'places', placeDelta)
  writeDeltas(base .. 'bytes', bytesDelta)
  sweepChunks()
end
