#!lua flags=allow-oom
-- Jobs out: promotes what is due, then leases the first jobs of each queue that is not paused, as far as its limits go.
-- ARGV[4] id of the worker; [5] leaseMs; [6] at most so many; [7] id of the claim; [8]... queues, in the order to look at
-- Reply   nextDueAt as text, '' for none; then for each queue that gave jobs: its place in the request from 0, the ids
--         (packIds), the lengths of the records (I4 each), the records
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

-- A job as leased. `started` is startedAt and batch as the record has them.
local function leased(record, form, started)
  if not form.leased then
    local flags = without(with(form.flags, STARTED + BATCH + TRIES), APART)
    form.leased = formBytes(record, form, RUNNING, flags)
  end
  return form.leased .. sub(record, FORM_BYTES + 1, form.triesAt - 1) ..
    countTry(sub(record, form.triesAt, form.startedAt - 1)) .. started .. sub(record, form.batchAt)
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

-- Whether there may be more to take at once, how many were taken, and these as a reply.
local function take(queue, want)
  local limits = limitsOf(queue)
  local rate, keyRate = limits and given(limits.rate), limits and given(limits.perKey.rate)
  local batch, started
  local fields, ids, records, sizes, uppers, size = {}, {}, {}, {}, {}, 0
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
    local changed = leased(record, form, started)
    loaded[id] = nil
    fields[2 * size + 1], fields[2 * size + 2] = id, changed
    size = size + 1
    ids[size], records[size], sizes[size] = id, changed, lengthBytes(#changed)
    local upper = sub(record, FORM_BYTES + 2, FORM_BYTES + 6)
    uppers[upper] = (uppers[upper] or 0) + 1
    return true
  end)
  if size == 0 then return final, 0 end
  callMany('HSET', jobsKey, fields, 2)
  countTaken(uppers)
  countDelta[queue * 8 + READY] = (countDelta[queue * 8 + READY] or 0) - size
  countDelta[queue * 8 + RUNNING] = (countDelta[queue * 8 + RUNNING] or 0) + size
  local packed = packIds(ids)
  closeBatch(batch, { workerId = workerId, claimId = claimId, queue = queue }, expiresAt, packed, size)
  if rate then takeStarts(queue, '', rate, size) end
  return final, size, packed, table.concat(sizes), table.concat(records)
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
      local final, taken, packed, sizes, records = take(queue, want)
      if taken > 0 then
        for _, part in ipairs({ index - 8, packed, sizes, records }) do answer[#answer + 1] = part end
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
