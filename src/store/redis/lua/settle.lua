#!lua flags=allow-oom
-- Outcomes in, each fenced by its batch. A completion of a plain job has a short way; for the rest the caller sends what
-- the settle rule says for a job that is to be cancelled and for one that is not.
-- ARGV[4], [6]...  completions, in runs of one batch and of one begin of seq: batch I6, how many I4, the first five bytes of
--                  their seqs, ids (16 bytes) and last byte of seq of each; then 0 (I4) where none has a result, else 1 and the results: length I4, and where there is one the text and its length again.
--                  Where all jobs of a batch are completed: batch I6, 4294967295 (I4), how many I4, the claim's id and the
--                  results as texts, '' where there are none
-- ARGV[5], [7]...  others, after those and before the next, as part change reads them
-- Reply            a byte each: the state, or 255 for lost
-- Needs: change, wire
local LOST, COMPLETED_BYTE = string.char(255), string.char(COMPLETED)
local finishedAt = pack('<I7', now)
local MOST = 4000
-- Who looks at one job of a batch reads the results of all.
local RESULTS_MAX = 65536
local states = {}

-- Completions on the short way are written together. Records that begin alike, up to the last byte of seq but one, are of
-- one run: they have the same batch, queue and chunk. `pending` has the runs with completions that are not written yet,
-- `queues` what goes to each queue.
local runs, wideRuns, pending, queues = {}, {}, {}, {}
local fields, fieldsSize = {}, 0
-- Whether something went the long way: what was read before may not hold any more.
local isMixed = false

local function queueOf(number)
  local queue = queues[number]
  if not queue then
    queue = { ids = {}, size = 0, bytes = 0, drops = dropsAll(number, COMPLETED) }
    queues[number] = queue
  end
  return queue
end

local function writeRun(run)
  local seq, size = unpackStruct('>I5', run.upper) * 256, run.size
  depart((unpackStruct('<I6', run.batch)), size)
  local place = floor(seq / CHUNK) * 8
  placeDelta[place + RUNNING] = (placeDelta[place + RUNNING] or 0) - size
  if run.queue.drops then leaveChunk(seq)
  else placeDelta[place + COMPLETED] = (placeDelta[place + COMPLETED] or 0) + size end
  run.size = 0
end

local function writeQueue(number, queue)
  local ids, size, field = queue.ids, queue.size, number * 8
  countDelta[field + RUNNING] = (countDelta[field + RUNNING] or 0) - size
  if queue.drops then
    callMany('HDEL', jobsKey, ids)
  else
    countDelta[field + COMPLETED] = (countDelta[field + COMPLETED] or 0) + size
    countBytes(number, COMPLETED, queue.bytes)
    pushEnded(number, COMPLETED, now, ids)
  end
  hintRoom(number)
  queue.ids, queue.size, queue.bytes = {}, 0, 0
end

-- By plan, reports of completions that are not written yet (part plans).
local reports = {}

local function write()
  if #pending == 0 then return end
  for plan, list in pairs(reports) do addReports(plan, list) end
  reports = {}
  if fieldsSize > 0 then callMany('HSET', jobsKey, fields, 2) end
  for index = 1, #pending do writeRun(pending[index]) end
  for number, queue in pairs(queues) do
    if queue.size > 0 then writeQueue(number, queue) end
  end
  hint('settled')
  pending, fields, fieldsSize = {}, {}, 0
end

local function newRun(record, form)
  local queue = queueOf(form.queue)
  local run = { batch = sub(record, form.batchAt, form.batchAt + 5), queue = queue, restAt = form.seqAt, size = 0,
    upper = sub(record, form.seqAt, form.seqAt + 4), lowAt = form.seqAt + 5, lows = {}, least = form.least }
  run.isHeld = not wholeAt(form.queue, run.batch)
  -- Not with a key or a unique key, nor with a trail or meta when its queue keeps no completed jobs.
  run.isShort = form.state == RUNNING and has(form.flags, KEY + UNIQUE + (queue.drops and TRAIL + META or 0)) == 0
  run.hasMeta, run.textsAt = has(form.flags, META) > 0, form.textsAt
  run.completed = completedFront(record, form, form.flags, finishedAt)
  run.completedWith = completedFront(record, form, with(form.flags, RESULT), finishedAt)
  return run
end

-- The run of a record that can be read; nil for a job that is in no batch. Then by how many bytes the next record is to be looked for: how
-- many there are its form tells, so no run can be taken for another.
local beginBytes = FORM_BYTES
local function runOf(record)
  local form = formOf(record)
  if has(form.flags, BATCH) == 0 then return nil end
  local known, bytes = runs, sub(record, 1, form.seqAt + 4)
  if has(form.flags, WIDE) == 0 then beginBytes = #bytes
  else known, bytes = wideRuns, bytes .. sub(record, form.wideAt, form.wideAt + 14) end
  local run = known[bytes]
  if not run then
    run = newRun(record, form)
    known[bytes] = run
  end
  return run, known == wideRuns
end

-- Writes what change.applyChange would write. `result` has its length behind it.
local function completePlain(id, record, run, result)
  if isMixed then loaded[id] = nil end
  if run.size == 0 then pending[#pending + 1] = run end
  run.size = run.size + 1
  local queue = run.queue
  local size = queue.size + 1
  queue.ids[size], queue.size = id, size
  if queue.drops then return end
  local changed
  if result then changed = run.completedWith .. sub(record, run.restAt) .. result
  else changed = run.completed .. sub(record, run.restAt) end
  fields[fieldsSize + 1], fields[fieldsSize + 2], fieldsSize = id, changed, fieldsSize + 2
  queue.bytes = queue.bytes + #changed
end

-- For a job on the short way, which has no text before its meta. What begins its report is common to its run.
local function reportPlain(id, record, run, result)
  local plan, part = planRefIn((unpackStruct('<I4c0', record, run.textsAt)))
  if not plan then return end
  run.reportFront = run.reportFront or completedReport(record)
  reports[plan] = reports[plan] or {}
  table.insert(reports[plan], run.reportFront .. reportTexts(part, id, result and sub(result, 1, -5)))
end

-- The long way, for a job as it is saved. `item` has batch, seq and result or changes.
local function settleSaved(id, item)
  write()
  isMixed = true
  local job = load(id)
  local change = changeBy(job, item)
  if not change then return LOST end
  applyChange(job, MOVES[item.kind], change)
  return string.char(change.state)
end

-- Of jobs of one batch; what it says of them is added to the lists of `listed`.
local function readRun(bytes, at, listed)
  local batch, size, next = sub(bytes, at, at + 5), unpackStruct('<I4', bytes, at + 6)
  local ids, batchOf, upperOf, lowOf, resultOf = listed.ids, listed.batchOf, listed.upperOf, listed.lowOf, listed.resultOf
  local from, upper = #ids, sub(bytes, next, next + 4)
  next = next + 5
  for index = from + 1, from + size do
    ids[index], batchOf[index], upperOf[index], lowOf[index] = sub(bytes, next, next + 15), batch, upper, byte(bytes, next + 16)
    next = next + 17
  end
  local isWith
  isWith, at = unpackStruct('<I4', bytes, next)
  if isWith == 0 then return at end
  return readResults(bytes, at, from, size, resultOf)
end

-- Completes the jobs whose records were found: the first is that of the id at `from`. Where no seqs are given, the ids are
-- those that the batch itself lists.
local function completeFound(found, from, listed)
  local ids, batchOf, upperOf, lowOf, resultOf = listed.ids, listed.batchOf, listed.upperOf, listed.lowOf, listed.resultOf
  local begin, run, size = nil, nil, #states
  for place = 1, #found do
    local index, record, state = from + place - 1, found[place], LOST
    local id, batch, result = ids[index], batchOf[index], resultOf[index]
    -- What the long way changed before is not what was read.
    if isMixed and record and loaded[id] ~= nil then record = call('HGET', jobsKey, id) end
    if record then
      local bytes = sub(record, 1, beginBytes)
      if bytes ~= begin then
        local isWide
        run, isWide = runs[bytes], false
        if not run and isSound(record) then run, isWide = runOf(record) end
        begin = run and not isWide and bytes or nil
      end
      if not run and not isSound(record) or run and #record < run.least then
        settleSaved(id, { batch = unpackStruct('<I6', batch) })
      elseif run and run.isHeld and run.batch == batch and (not lowOf or
          run.upper == upperOf[index] and byte(record, run.lowAt) == lowOf[index]) then
        -- By the byte by which the jobs of a run differ, each is there once.
        local low = byte(record, run.lowAt)
        if not run.isShort then
          state = settleSaved(id, { kind = 0, batch = unpackStruct('<I6', batch), seq = seqOf(record),
            result = result and sub(result, 1, -5) })
        elseif not run.lows[low] then
          run.lows[low], state = true, COMPLETED_BYTE
          if run.hasMeta then reportPlain(id, record, run, result) end
          completePlain(id, record, run, result)
        end
      end
    end
    states[size + place] = state
  end
end

local function completeListed(listed)
  local ids = listed.ids
  for from = 1, #ids, MOST do
    local to = math.min(from + MOST - 1, #ids)
    completeFound(call('HMGET', jobsKey, unpack(ids, from, to)), from, listed)
    write()
  end
end

local function countWhole(queue, size, intact, drops, results)
  countDelta[queue * 8 + RUNNING] = (countDelta[queue * 8 + RUNNING] or 0) - size
  for at = 7, #intact, 9 do
    local seq, jobs = unpackStruct('>I5', intact, at) * 256, unpackStruct('<I4', intact, at + 5)
    local place = floor(seq / CHUNK) * 8
    placeDelta[place + RUNNING] = (placeDelta[place + RUNNING] or 0) - jobs
    if drops then leaveChunk(seq) else placeDelta[place + COMPLETED] = (placeDelta[place + COMPLETED] or 0) + jobs end
  end
  if drops then return end
  countDelta[queue * 8 + COMPLETED] = (countDelta[queue * 8 + COMPLETED] or 0) + size
  -- A job without a result has its length alone in `results`, one with a result has it twice.
  countBytes(queue, COMPLETED, unpackStruct('<I6', intact) + math.max(0, #results - 4 * size))
end

-- Whether what was noted at the claim is of so many jobs.
local function isIntact(intact, size)
  if not intact or #intact % 9 ~= 6 then return false end
  for at = 7, #intact, 9 do size = size - unpackStruct('<I4', intact, at + 5) end
  return size == 0
end

-- False where its jobs must be looked at one by one.
local function completeWhole(held, batch, results)
  local queue, number = held.queue, text(held.number)
  local intact, drops = call('HGET', base .. 'intact', number), dropsAll(queue, COMPLETED)
  if not isIntact(intact, held.size) or #results > RESULTS_MAX then return false end
  if drops then
    callMany('HDEL', jobsKey, idsIn(held))
  else
    if now < numberIn(call('HGET', base .. 'endedAt', queue * 8 + COMPLETED), 0) then return false end
    addWhole(queue, batch, held.size, held.packed, results)
    pushEnded(queue, COMPLETED, now, { batch })
  end
  countWhole(queue, held.size, intact, drops, results)
  call('HDEL', base .. 'intact', number)
  dropBatch(number, held.workerId)
  -- What was read of its jobs holds no more.
  for id in pairs(loaded) do loaded[id] = nil end
  runs, wideRuns = {}, {}
  hint('settled')
  hintRoom(queue)
  return true
end

-- A server that lost the claim gives its batch's number again, to other jobs: so the claim's id must be the same, too.
local function settleWhole(batch, size, claimId, results)
  local held = readBatch(text((unpackStruct('<I6', batch))))
  if not held or held.size ~= size or held.claimId ~= claimId then
    states[#states + 1] = string.rep(LOST, size)
  elseif completeWhole(held, batch, results) then
    states[#states + 1] = string.rep(COMPLETED_BYTE, size)
  else
    local listed = { ids = idsIn(held), batchOf = {}, resultOf = {} }
    if #listed.ids ~= size then
      states[#states + 1] = string.rep(LOST, size)
      return
    end
    for index = 1, size do listed.batchOf[index] = batch end
    if results ~= '' then readResults(results, 1, 0, size, listed.resultOf) end
    completeListed(listed)
  end
end

local function newListed()
  return { ids = {}, batchOf = {}, upperOf = {}, lowOf = {}, resultOf = {} }
end

local function settleCompletions(bytes)
  local listed, at = newListed(), 1
  while at <= #bytes do
    if unpackStruct('<I4', bytes, at + 6) == NOTHING then
      completeListed(listed)
      listed = newListed()
      local size, claimId, results, next = unpackStruct('<I4I4c0I4c0', bytes, at + 10)
      settleWhole(sub(bytes, at, at + 5), size, claimId, results)
      at = next
    else
      at = readRun(bytes, at, listed)
    end
  end
  completeListed(listed)
end

local function settleOthers(bytes)
  local read = reader(bytes)
  while read.more() do
    states[#states + 1] = settleSaved(readOutcome(read))
  end
end

for index = 4, #ARGV, 2 do
  settleCompletions(ARGV[index])
  settleOthers(ARGV[index + 1])
end
return reply(table.concat(states))
