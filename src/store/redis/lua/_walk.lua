-- Part: walk. Goes over jobs by their seq, chunk by chunk, past those that hold nothing of what is looked for, and stops
-- when enough was looked at for one call. Needs: jobs
local WALK_ENTRIES = 4000
local WALK_BYTES = 4194304

-- Numbers of the chunks that hold jobs in these states (digits).
local function chunksWith(states)
  local chunks, seen = {}, {}
  for _, field in ipairs(call('HKEYS', base .. 'places')) do
    local chunk, state = floor(numberIn(field, 0) / 8), numberIn(field, 0) % 8
    if not seen[chunk] and string.find(states, tostring(state), 1, true) then
      seen[chunk] = true
      chunks[#chunks + 1] = chunk
    end
  end
  table.sort(chunks)
  return chunks
end

-- The ids of a chunk, each once and in the order of seq: one that was deleted and came again stands where it came last.
local function idsOfChunk(chunk)
  local ids, lastAt, kept = call('LRANGE', base .. 'all:' .. text(chunk), 0, -1), {}, {}
  for at = 1, #ids do lastAt[ids[at]] = at end
  for at = 1, #ids do
    if lastAt[ids[at]] == at then kept[#kept + 1] = ids[at] end
  end
  return kept
end

-- A job's record and seq where it stands in this chunk; an entry of another time is nil.
local function entryOf(id, chunk)
  local record = call('HGET', jobsKey, id)
  if not record then return nil end
  if not isSound(record) then
    setAside(id)
    return nil
  end
  local seq = seqOf(record)
  if floor(seq / CHUNK) ~= chunk then return nil end
  return record, seq
end

-- Index of the last of `ids` with a seq below `bound`; 0 when there is none.
local function lastBelow(ids, chunk, bound)
  local low, high, best = 1, #ids, 0
  while low <= high do
    local middle = floor((low + high) / 2)
    local at, seq = middle, nil
    while at >= low and not seq do
      local _, found = entryOf(ids[at], chunk)
      seq = found
      if not seq then at = at - 1 end
    end
    if not seq then low = middle + 1
    elseif seq < bound then best, low = at, middle + 1
    else high = at - 1 end
  end
  return best
end

-- Calls `visit(id, record, seq)` for jobs with a seq below `bound` from the last one down (step -1), or above it from the
-- first one up (step 1), until it returns true. Returns the bound to go on with, nil at the end. Jobs in other states
-- of the chunks are visited too.
local function walk(states, bound, step, visit)
  local looked, bytes = 0, 0
  local chunks = chunksWith(states)
  for index = step == 1 and 1 or #chunks, step == 1 and #chunks or 1, step do
    local chunk = chunks[index]
    if (step == -1 and chunk * CHUNK < bound) or (step == 1 and (chunk + 1) * CHUNK > bound + 1) then
      local ids = idsOfChunk(chunk)
      local from = step == -1 and lastBelow(ids, chunk, bound) or lastBelow(ids, chunk, bound + 1) + 1
      for at = from, step == -1 and 1 or #ids, step do
        local record, seq = entryOf(ids[at], chunk)
        looked = looked + 1
        if seq and (seq - bound) * step > 0 then
          if visit(ids[at], asItStands(ids[at], record), seq) then return bound end
          bound, bytes = seq, bytes + #record
        end
        if looked >= WALK_ENTRIES or bytes >= WALK_BYTES then return bound end
      end
      bound = step == -1 and math.min(bound, chunk * CHUNK) or math.max(bound, (chunk + 1) * CHUNK - 1)
    end
  end
  return nil
end

-- What `walk` starts with to see all jobs there are.
local function endOfLine()
  return numberIn(call('GET', base .. 'seq'), 2 ^ 48) + 1
end
