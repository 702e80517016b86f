-- Part: add. Jobs in: what enqueue takes, and a unit of commit. Needs: turns, unique, wire
local CREATED_ = 0
local EXISTING_, REPLACED_, CONFLICT_ = 1, 2, 3
local REJECT, EXISTING, THROTTLE, REPLACE, DEBOUNCE = 0, 1, 2, 3, 4

-- What jobs of a call share: flags of the texts I3, priority i4, attemptsMax d, how `time` counts B (0 delay, 1 absolute),
-- time d, queue and task as texts. Returns their states besides, a byte each.
local function readShapes(bytes)
  local shapes, states, read = {}, {}, reader(bytes)
  while read.more() do
    local shape = { flags = read.number('<I3'), priority = read.number('<i4') }
    local attemptsMax, absolute, time = read.number('<d'), read.number('B'), read.number('<d')
    shape.dueAt = math.max(now, absolute == 1 and time or wholeMs(now + time))
    shape.queue = numberOf('queue', read.text(), true)
    shape.state = shape.dueAt > now and SCHEDULED or READY
    shapes[#shapes + 1], states[#states + 1] = shape, string.char(shape.state)
    -- A fresh record is its form, seq, `after` and the texts.
    local bare = encode({ state = shape.state, turn = LINE, queue = shape.queue, task = numberOf('task', read.text(), true),
      priority = shape.priority, attemptsMax = attemptsMax, attempt = 0, crashes = 0, seq = 0, createdAt = now,
      dueAt = shape.dueAt })
    local form = formOf(bare)
    shape.flags = with(form.flags, shape.flags)
    shape.form = formBytes(bare, form, shape.state, shape.flags)
    shape.after = sub(bare, FORM_BYTES + 7)
  end
  return shapes, table.concat(states)
end

-- What is to be written for the jobs added so far; they are written together.
local records, lines, chunks = {}, {}, {}

local function write()
  if #records > 0 then callMany('HSET', jobsKey, records, 2) end
  for key, line in pairs(lines) do
    callMany('RPUSH', key, line.ids)
    call('ZADD', base .. 'priorities:' .. line.queue, line.priority, line.priority)
  end
  for chunk, ids in pairs(chunks) do callMany('RPUSH', base .. 'all:' .. text(chunk), ids) end
  records, lines, chunks = {}, {}, {}
end

local fresh = {}
local lastShape, lastLine, lastChunk, lastChunkIds
local placed = 0

-- Counts jobs of one shape and chunk together.
local function countAdded()
  if placed == 0 then return end
  local queueField = lastShape.queue * 8 + lastShape.state
  countDelta[queueField] = (countDelta[queueField] or 0) + placed
  local placeField = lastChunk * 8 + lastShape.state
  placeDelta[placeField] = (placeDelta[placeField] or 0) + placed
  placed = 0
end

local function lineOf(shape)
  local key = base .. 'line:' .. shape.queue .. ':' .. shape.priority
  local line = lines[key]
  if not line then
    line = { queue = shape.queue, priority = shape.priority, ids = {} }
    lines[key] = line
  end
  return line.ids
end

-- A job that was not there before, in the place behind all others.
local function add(shape, id, tail)
  local seq = nextNumber()
  local chunk = floor(seq / CHUNK)
  if shape ~= lastShape or chunk ~= lastChunk or not lastChunkIds then
    countAdded()
    lastShape, lastChunk = shape, chunk
    chunks[chunk] = chunks[chunk] or {}
    lastChunkIds = chunks[chunk]
    lastLine = shape.state == READY and lineOf(shape) or nil
  end
  placed = placed + 1
  fresh[id], loaded[id] = shape, nil
  lastChunkIds[#lastChunkIds + 1] = id
  local formed, line = shape.form, lastLine
  if has(shape.flags, KEY) > 0 then
    local key = unpackStruct('<I4c0', tail)
    local job = { id = id, seq = seq, queue = shape.queue, priority = shape.priority, key = key, state = shape.state, turn = NONE }
    job.turn = turnOf(job, nil)
    enterKey(job)
    formed = bitsOf(shape.state, job.turn, shape.flags) .. sub(formed, 4)
    if job.turn ~= LINE then line = nil end
  end
  if line then line[#line + 1] = id
  elseif shape.state == SCHEDULED then
    call('ZADD', base .. 'due:' .. shape.queue, text(shape.dueAt), pack('>I6', seq) .. id)
  end
  if has(shape.flags, META) > 0 then
    local _, at = nil, 1
    if has(shape.flags, KEY) > 0 then _, at = unpackStruct('<I4c0', tail) end
    if has(shape.flags, UNIQUE) > 0 then _, at = unpackStruct('<I4c0', tail, at) end
    enterTerms(id, seq, (unpackStruct('<I4c0', tail, at)))
  end
  local size = #records
  records[size + 1], records[size + 2] = id, formed .. pack('>I6', seq) .. shape.after .. tail
end

local function flush()
  countAdded()
  write()
  lastChunkIds = nil
end

-- The waiting holder keeps its id, its place in the line and its trail, and takes all the rest from the spec.
local function replace(holder, shape, tail, dueAt)
  local values = decode(holder.id, shape.form .. pack('>I6', 0) .. shape.after .. tail)
  if holder.meta then leaveTerms(holder) end
  if values.meta then enterTerms(holder.id, holder.seq, values.meta) end
  rearrange(holder, 'reschedule', function()
    holder.queue, holder.task, holder.key, holder.priority = values.queue, values.task, values.key, values.priority
    holder.input, holder.attemptsMax, holder.attempt, holder.crashes = values.input, values.attemptsMax, 0, 0
    holder.meta, holder.progress, holder.dueAt = values.meta, nil, dueAt
    holder.state = dueAt > now and SCHEDULED or READY
  end)
end

-- Status, state and id where the job is not simply created.
local function addUnique(shape, id, tail, mode, periodMs, maxWaitMs)
  flush()
  local at = 1
  if has(shape.flags, KEY) > 0 then
    local _
    _, at = unpackStruct('<I4c0', tail)
  end
  local key = unpackStruct('<I4c0', tail, at)
  local hold = holdOf(key)
  if hold and isHeld(hold) then
    local holder = load(hold.id)
    local state = holder and holder.state or hold.state
    if mode == REJECT then return CONFLICT_, state, hold.id end
    if mode == EXISTING or mode == THROTTLE then return EXISTING_, state, hold.id end
    if holder and not isEnded(state) and state ~= RUNNING then
      local dueAt = shape.dueAt
      -- As debouncedUntil in core/unique.ts.
      if mode == DEBOUNCE and maxWaitMs < math.huge then
        dueAt = math.min(dueAt, math.max(now, wholeMs(holder.createdAt + maxWaitMs)))
      end
      replace(holder, shape, tail, dueAt)
      setHold(key, hold.id, wholeMs(now + periodMs), holder.state)
      hint('ready')
      return REPLACED_, holder.state, hold.id
    end
  end
  add(shape, id, tail)
  flush()
  setHold(key, id, wholeMs(now + periodMs), shape.state)
  hint('ready')
  return CREATED_
end

-- Jobs: shape I2 (from 1), id, then as a text: for those with a unique key its mode B, period d and longest wait d (infinite
-- for none), and the record from `key` on. Returns what was not simply created: index from 0 (I4), status B, state B, id.
-- With `goesOn`, they may wait for a flush, so that jobs of several units are written together.
local ADDED_AT_ONCE = 4000
local function addJobs(shapes, bytes, goesOn)
  local ids, shapeOf, tails, exceptions = {}, {}, {}, {}
  local function except(index, status, state, id)
    exceptions[#exceptions + 1] = pack('<I4BB', index, status, state) .. idBytes(id)
  end
  local at, last, index, number = 1, #bytes, 0, nil
  while at <= last do
    index = index + 1
    number, ids[index], tails[index], at = unpackStruct('<I2I2c0I4c0', bytes, at)
    shapeOf[index] = shapes[number]
  end
  for from = 1, #ids, ADDED_AT_ONCE do
    local to = math.min(from + ADDED_AT_ONCE - 1, #ids)
    local there = call('HMGET', jobsKey, unpack(ids, from, to))
    for index = from, to do
      local id, shape = ids[index], shapeOf[index]
      local record = there[index - from + 1]
      if record then
        -- An earlier item of the batch may have changed it.
        local job = load(id)
        except(index - 1, EXISTING_, job and job.state or FAILED, id)
      elseif fresh[id] then
        flush()
        except(index - 1, EXISTING_, load(id).state, id)
      elseif has(shape.flags, UNIQUE) > 0 then
        local mode, periodMs, maxWaitMs, at = unpackStruct('<Bdd', tails[index])
        local status, state, holder = addUnique(shape, id, sub(tails[index], at), mode, periodMs, maxWaitMs)
        if status ~= CREATED_ then except(index - 1, status, state, holder) end
      else
        add(shape, id, tails[index])
        hint('ready')
      end
    end
  end
  if not goesOn then flush() end
  return table.concat(exceptions)
end
