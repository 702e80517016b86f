#!lua flags=allow-oom
-- Jobs out: promotes what is due, then leases the first jobs of each queue that is not paused, as far as its limits go.
-- ARGV[4] id of the worker; [5] leaseMs; [6] at most so many; [7] id of the claim; [8]... queues, in the order to look at
-- Reply   nextDueAt as text, '' for none; then for each queue that gave jobs: its place in the request from 0, their ids
--         (packIds), fronts of records (how many in a row have it I4, and it as a text), lengths of their rests (I4 each), rests
-- Needs: line, leases, rates
local workerId, limit, claimId = ARGV[4], tonumber(ARGV[6]), ARGV[7]
local expiresAt = wholeMs(now + tonumber(ARGV[5]))
-- To bound its time, one claim promotes and looks at no more jobs than these; the next one goes on.
local PROMOTED_MAX, LOOKED_MAX = 2000, 2000

local function isPaused(queue)
  local of = settingsOf(queue)
  return of ~= nil and given(of.pausedAt) ~= nil
end

local function promote(queue)
  local due = base .. 'due:' .. queue
  for _, member in ipairs(call('ZRANGEBYSCORE', due, '-inf', text(now), 'LIMIT', 0, PROMOTED_MAX)) do
    move(load(sub(member, 7)), 'promote', READY)
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

-- Jobs of one chunk have the same upper bytes of seq: those are counted as they stand, and read once.
local function countTaken(uppers)
  for upper, by in pairs(uppers) do
    local place = floor(unpackStruct('<I5', upper) * 256 / CHUNK) * 8
    placeDelta[place + READY] = (placeDelta[place + READY] or 0) - by
    placeDelta[place + RUNNING] = (placeDelta[place + RUNNING] or 0) + by
  end
end

-- Lengths as four bytes; most records of a claim are alike.
local lengths = {}
local function lengthBytes(length)
  local bytes = lengths[length]
  if not bytes then
    bytes = pack('<I4', length)
    lengths[length] = bytes
  end
  return bytes
end

-- Whether there may be more to take at once; the jobs taken as the reply has them, and how many they are.
local function take(queue, want)
  local limits = limitsOf(queue)
  local rate, keyRate = limits and given(limits.rate), limits and given(limits.perKey.rate)
  local batch, started
  local fields, ids, rests, sizes, uppers, size = {}, {}, {}, {}, {}, 0
  local fronts, lastFront, alike = {}, nil, 0
  local final = walkLine(queue, want, LOOKED_MAX + want, function(id, record, form)
    if keyRate then
      local job = load(id)
      if job.key then
        local room, nextAt = roomOf(queue, job.key, keyRate)
        if room == 0 then
          putOff(job, nextAt)
          return false
        end
        takeStarts(queue, job.key, keyRate, 1)
      end
    end
    if not batch then
      batch = openBatch()
      started = pack('<I6I6', now, batch)
    end
    local front, rest = leasedFront(record, form, started), sub(record, form.seqAt)
    loaded[id] = nil
    fields[2 * size + 1], fields[2 * size + 2] = id, front .. rest
    size = size + 1
    ids[size], rests[size], sizes[size] = id, rest, lengthBytes(#rest)
    if front == lastFront then
      alike = alike + 1
    else
      if lastFront then fronts[#fronts + 1] = pack('<I4I4', alike, #lastFront) .. lastFront end
      lastFront, alike = front, 1
    end
    local upper = sub(record, form.seqAt + 1, form.seqAt + 5)
    uppers[upper] = (uppers[upper] or 0) + 1
    return true
  end)
  if size == 0 then return final end
  fronts[#fronts + 1] = pack('<I4I4', alike, #lastFront) .. lastFront
  callMany('HSET', jobsKey, fields, 2)
  countTaken(uppers)
  countDelta[queue * 8 + READY] = (countDelta[queue * 8 + READY] or 0) - size
  countDelta[queue * 8 + RUNNING] = (countDelta[queue * 8 + RUNNING] or 0) + size
  local packed = packIds(ids)
  closeBatch(batch, { workerId = workerId, claimId = claimId, queue = queue }, expiresAt, packed, size)
  if rate then takeStarts(queue, '', rate, size) end
  return final, { packed, table.concat(fronts), table.concat(sizes), table.concat(rests) }, size
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
