-- Part: traces. What lines, leases and counts say of a job whose record says it no more. Searches, which only damage is
-- worth. Needs: walk, leases

-- The chunk that has the job, the newest first; nil for none.
local function chunkWith(id)
  local chunks = chunksWith('123456')
  for index = #chunks, 1, -1 do
    if call('LPOS', base .. 'all:' .. text(chunks[index]), id) then return chunks[index] end
  end
end

-- A seq that nobody has, between those of its neighbours in the chunk; and a state that the chunk counts more jobs in than
-- can be read there.
local function placeIn(chunk, id)
  local before, isBehind, excess = chunk * CHUNK - 1, false, {}
  for _, one in ipairs(idsOfChunk(chunk)) do
    local record = call('HGET', jobsKey, one)
    if one == id then isBehind = true
    elseif record and isSound(record) and floor(seqOf(record) / CHUNK) == chunk then
      local state = formOf(asItStands(one, record)).state
      excess[state] = (excess[state] or 0) - 1
      if not isBehind then before = seqOf(record) end
    end
  end
  for state = SCHEDULED, CANCELLED do
    local field = text(chunk * 8 + state)
    local kept = numberIn(call('HGET', base .. 'places', field), 0) + (placeDelta[chunk * 8 + state] or 0)
    if kept + (excess[state] or 0) > 0 then return before + 1, state end
  end
  return before + 1, nil
end

-- The batch that leases the job: one with more jobs than can be read.
local function batchWith(id)
  for _, number in ipairs(call('HKEYS', base .. 'batches')) do
    local batch = readBatch(number)
    if batch and string.find(batch.packed, id, 1, true) then
      local held = departed[batch.number] or 0
      for _, one in ipairs(idsIn(batch)) do
        local record = call('HGET', jobsKey, one)
        if record and isSound(record) and decode(one, asItStands(one, record)).batch == batch.number then held = held + 1 end
      end
      if numberIn(call('HGET', base .. 'live', number), 0) > held then return batch end
    end
  end
end

local function isListed(queue, state, seq, id)
  if state == SCHEDULED then return call('ZSCORE', base .. 'due:' .. queue, pack('>I6', seq) .. id) end
  if isEnded(state) then
    local of = queue .. ':' .. state
    return call('LPOS', base .. 'ended:' .. of, id) or call('ZSCORE', base .. 'late:' .. of, id)
  end
  for _, priority in ipairs(call('ZRANGE', base .. 'priorities:' .. queue, 0, -1)) do
    if call('LPOS', base .. 'line:' .. queue .. ':' .. priority, id) then return true end
  end
  for _, member in ipairs(call('ZRANGE', base .. 'back:' .. queue, 0, -1)) do
    if sub(member, 11) == id then return true end
  end
end

-- The queue the job is listed in; the only one that has jobs in the state, where there is but one. Nil where nothing tells.
local function queueWith(id, state, seq)
  local queues, fields = {}, call('HKEYS', base .. 'counts')
  for _, field in ipairs(fields) do
    local number = numberIn(field, -1)
    if number % 8 == state and counted(floor(number / 8), state) > 0 then queues[#queues + 1] = floor(number / 8) end
  end
  if #queues == 1 then return queues[1] end
  for _, queue in ipairs(queues) do
    if isListed(queue, state, seq, id) then return queue end
  end
end

-- Adds to `facts` of a job what can be found: seq, state, queue, batch; then what `was` says, since a place it was met in
-- may be one it has left.
local function addTraces(id, facts, was)
  if not facts.state then
    local batch = batchWith(id)
    if batch then facts.state, facts.queue, facts.batch = RUNNING, batch.queue, batch.number end
  end
  local chunk = not facts.seq and chunkWith(id)
  if chunk then
    local seq, state = placeIn(chunk, id)
    facts.seq, facts.state = seq, facts.state or state
  end
  facts.state, facts.queue = facts.state or was.state, facts.queue or was.queue
  if facts.state and not facts.queue then facts.queue = queueWith(id, facts.state, facts.seq or 0) end
end
