#!lua flags=allow-oom
-- Jobs out: promotes what is due, then leases the first jobs of each queue that is not paused, as far as its limits go.
-- ARGV[4] id of the worker; [5] leaseMs; [6] at most so many; [7] id of the claim; [8]... queues, in the order to look at
-- Reply   nextDueAt as text, '' for none; then for each queue that gave jobs: its place in the request from 0, their ids
--         (packIds), fronts of records (how many in a row have it I4, and it as a text), lengths of their rests (how many in a
--         row have it I4, and it I4), rests; with INNER in its front, the rest of a record begins with that
-- Needs: line, leases, rates
local workerId, limit, claimId = ARGV[4], tonumber(ARGV[6]), ARGV[7]
local expiresAt = wholeMs(now + tonumber(ARGV[5]))
-- To bound its time, one claim promotes and looks at no more jobs than these; the next one goes on.
local PROMOTED_MAX, LOOKED_MAX = 2000, 2000

local function promote(queue)
  local due = base .. 'due:' .. queue
  for _, member in ipairs(call('ZRANGEBYSCORE', due, '-inf', text(now), 'LIMIT', 0, PROMOTED_MAX)) do
    local job, isDamaged = load(sub(member, 7), { state = SCHEDULED, queue = queue })
    if job and job.state == SCHEDULED and job.queue == queue and dueMember(job) == member then
      move(job, 'promote', READY)
    else
      if not job and not isDamaged and #member > 6 then countMissing(queue, SCHEDULED, unpackStruct('>I6', member)) end
      call('ZREM', due, member)
    end
  end
end

local function roomIn(queue, want)
  local limits = limitsOf(queue)
  if not limits then return want end
  local concurrency, rate = given(limits.concurrency), given(limits.rate)
  if concurrency then want = math.min(want, concurrency - counted(queue, RUNNING)) end
  if rate then want = math.min(want, (roomOf(queue, '', rate))) end
  return want
end

-- The settle rule for a claim is to count the attempt. By the bytes of TRIES as they were, '' for none.
local triesAfter = { [''] = pack('<I3I2', 1, 0) }
local function countTry(tries)
  local after = triesAfter[tries]
  if not after then
    local attempt, crashes = unpackStruct('<I3I2', tries)
    after = pack('<I3I2', attempt + 1, crashes)
    triesAfter[tries] = after
  end
  return after
end

-- The front of a job as leased. `started` is startedAt and batch as the record has them: the same for all jobs of a queue.
local function leasedFront(record, form, started)
  if form.leasedWith == started then return form.leasedFront end
  local flags = without(with(form.flags, STARTED + BATCH + TRIES), APART)
  local front = formBytes(record, form, RUNNING, flags) .. sub(record, form.ticketAt, form.triesAt - 1) ..
    countTry(sub(record, form.triesAt, form.startedAt - 1)) .. started
  if has(form.flags, TICKET + TRIES) == 0 then form.leasedFront, form.leasedWith = front, started end
  return front
end

-- What was taken of one queue, as it is written and as the reply has it: `size` jobs, and for each its id, its record as
-- leased, and its record but for the front.
local function newTaken(queue)
  local batch = openBatch()
  return { queue = queue, batch = batch, started = pack('<I6I6', now, batch), isPlain = true, size = 0, fields = {}, ids = {}, rests = {},
    fronts = {}, frontFrom = 0, lengths = {}, length = nil, lengthFrom = 0, uppers = {} }
end

-- `taken` has this front from its next job on.
local function beginFront(taken, front)
  if front == taken.front then return end
  local alike = taken.size - taken.frontFrom
  if alike > 0 then taken.fronts[#taken.fronts + 1] = pack('<I4I4', alike, #taken.front) .. taken.front end
  taken.front, taken.frontFrom = front, taken.size
end

local function beginLength(taken, length)
  if length == taken.length then return end
  local alike = taken.size - taken.lengthFrom
  if alike > 0 then taken.lengths[#taken.lengths + 1] = pack('<I4I4', alike, taken.length) end
  taken.length, taken.lengthFrom = length, taken.size
end

-- Jobs of one chunk have the same upper bytes of seq: they are counted by those, which are read once.
local function countUpper(taken, upper, by)
  taken.uppers[upper] = (taken.uppers[upper] or 0) + by
end

local function takeOne(taken, id, record, form)
  local front, rest = leasedFront(record, form, taken.started), sub(record, form.seqAt)
  loaded[id], taken.isPlain = nil, false
  beginFront(taken, front)
  beginLength(taken, #rest)
  local size = taken.size + 1
  taken.size = size
  taken.fields[2 * size - 1], taken.fields[2 * size] = id, front .. rest
  taken.ids[size], taken.rests[size] = id, rest
  countUpper(taken, sub(record, form.seqAt, form.seqAt + 4), 1)
end

-- Records that begin alike, up to the last byte of seq, are of the same form and chunk. `lows` has those last bytes, by
-- which they differ. Nil for those that takeOne is for.
local PLAIN_BYTES = 12
local function newPlain(taken, record, priority)
  if not isSound(record) then return nil end
  local form = formOf(record)
  local isPlain = priority == 0 and form.queue == taken.queue and form.isInLine and
    has(form.flags, PRIORITY + WIDE + TRIES + APART + STARTED) == 0
  if not isPlain then return nil end
  if has(form.flags, KEY + UNIQUE + META + TRAIL) > 0 then taken.isPlain = false end
  local front = formBytes(record, form, RUNNING, with(form.flags, STARTED + BATCH + TRIES + INNER)) .. countTry('') ..
    taken.started
  return { front = front, upper = sub(record, 8, PLAIN_BYTES), lows = {}, least = form.least, isTexted = form.isTexted }
end

-- The short way of takeOne for jobs that were never claimed, as they stand in the line: a new front is put before the record
-- as it is. Returns how many; it ends at one that is not so, or was taken before.
local function takePlain(taken, plains, ids, records, most, priority)
  local fields, takenIds, rests, first, size = taken.fields, taken.ids, taken.rests, taken.size, taken.size
  local prefix, plain, lows, front, length, plainFrom = nil, nil, nil, nil, taken.length, size
  for index = 1, most do
    local record = records[index]
    if not record then break end
    local begin = sub(record, 1, PLAIN_BYTES)
    if begin ~= prefix then
      taken.size = size
      if plain then countUpper(taken, plain.upper, size - plainFrom) end
      prefix, plain, plainFrom = begin, plains[begin] or newPlain(taken, record, priority), size
      if not plain then break end
      plains[begin], lows, front = plain, plain.lows, plain.front
      beginFront(taken, front)
    end
    local low = byte(record, PLAIN_BYTES + 1)
    if lows[low] or #record < plain.least or (plain.isTexted and not isSound(record)) then break end
    lows[low] = true
    if #record ~= length then
      taken.size, length = size, #record
      beginLength(taken, length)
    end
    size = size + 1
    fields[2 * size - 1], fields[2 * size] = ids[index], front .. record
    takenIds[size], rests[size] = ids[index], record
  end
  taken.size = size
  if plain then countUpper(taken, plain.upper, size - plainFrom) end
  return size - first
end

-- What completing the batch whole takes; of jobs that all went the short way. A record that is completed begins with its
-- form, TRIES, STARTED and FINISHED, 18 bytes more than the form alone that its rest here begins with.
local function keepIntact(taken, rests)
  local parts = { pack('<I6', #rests + 18 * taken.size) }
  for upper, jobs in pairs(taken.uppers) do parts[#parts + 1] = upper .. pack('<I4', jobs) end
  call('HSET', base .. 'intact', taken.batch, table.concat(parts))
end

local function countTaken(taken)
  for upper, by in pairs(taken.uppers) do
    local place = floor(unpackStruct('>I5', upper) * 256 / CHUNK) * 8
    placeDelta[place + READY] = (placeDelta[place + READY] or 0) - by
    placeDelta[place + RUNNING] = (placeDelta[place + RUNNING] or 0) + by
  end
  local field, size = taken.queue * 8, taken.size
  countDelta[field + READY] = (countDelta[field + READY] or 0) - size
  countDelta[field + RUNNING] = (countDelta[field + RUNNING] or 0) + size
end

-- False for a job that was put off, since its key's rate has no room.
local function mayStart(queue, id, keyRate)
  local job = load(id)
  if not job.key then return true end
  local room, nextAt = roomOf(queue, job.key, keyRate)
  if room == 0 then
    putOff(job, nextAt)
    return false
  end
  takeStarts(queue, job.key, keyRate, 1)
  return true
end

-- Whether there may be more to take at once; the jobs taken as the reply has them, and how many they are.
local function take(queue, want)
  local limits = limitsOf(queue)
  local rate, keyRate = limits and given(limits.rate), limits and given(limits.perKey.rate)
  local taken, plains = nil, {}
  local final = walkLine(queue, want, LOOKED_MAX + want, function(id, record, form)
    if keyRate and not mayStart(queue, id, keyRate) then return false end
    taken = taken or newTaken(queue)
    takeOne(taken, id, record, form)
    return true
  end, not keyRate and function(ids, records, most, priority)
    if not records[1] then return 0 end
    taken = taken or newTaken(queue)
    return takePlain(taken, plains, ids, records, most, priority)
  end)
  if not taken or taken.size == 0 then return final end
  local size = taken.size
  beginFront(taken, nil)
  beginLength(taken, nil)
  callMany('HSET', jobsKey, taken.fields, 2)
  countTaken(taken)
  local packed = packIds(taken.ids)
  closeBatch(taken.batch, { workerId = workerId, claimId = claimId, queue = queue }, expiresAt, packed, size)
  if rate then takeStarts(queue, '', rate, size) end
  local rests = table.concat(taken.rests)
  if taken.isPlain and size >= WHOLE_MIN then keepIntact(taken, rests) end
  return final, { packed, table.concat(taken.fronts), table.concat(taken.lengths), rests }, size
end

if isPaused(0) then return reply('') end
local open, answer, nextDueAt = {}, {}, nil
for index = 8, #ARGV do
  local queue = numberOf('queue', ARGV[index])
  if queue and not isPaused(queue) then
    open[#open + 1] = queue
    promote(queue)
    local want = roomIn(queue, limit)
    if want > 0 then
      local final, parts, taken = take(queue, want)
      if parts then
        answer[#answer + 1] = index - 8
        for _, part in ipairs(parts) do answer[#answer + 1] = part end
        limit = limit - taken
      end
      if not final then nextDueAt = now end
    end
  end
end

local function earlier(at)
  if at and (not nextDueAt or at < nextDueAt) then nextDueAt = at end
end
for _, queue in ipairs(open) do
  earlier(tonumber(call('ZRANGE', base .. 'due:' .. queue, 0, 0, 'WITHSCORES')[2]))
  local limits = limitsOf(queue)
  local rate = limits and given(limits.rate)
  if rate then
    local room, nextAt = roomOf(queue, '', rate)
    if room == 0 and isLine(queue, LOOKED_MAX) then earlier(nextAt) end
  end
end
return reply(nextDueAt and text(nextDueAt) or '', unpack(answer))
