#!lua flags=allow-oom
-- Deletes finished jobs beyond what their queue keeps, the oldest first, and what nobody needs any more besides.
-- ARGV[4] at most so many jobs; [5] retention of queues that nobody configured, as JSON; [6] ms for which a dead worker is
--         shown
-- Answers  jobs deleted; workers deleted; 1 when there is more to delete
-- Needs: turns, rates, unique, crew, plans
local most, default, workerKeptMs = tonumber(ARGV[4]), cjson.decode(ARGV[5]), tonumber(ARGV[6])
local NAMES = { [COMPLETED] = 'completed', [FAILED] = 'failed', [CANCELLED] = 'cancelled' }
-- Entries that count no more and are dropped in one call.
local STALE_MOST = 10000
local SCAN = 1000
local HEADS = 200

local function isBeyond(job, jobs, bytes, keep)
  if given(keep.count) and jobs > keep.count then return true end
  if given(keep.bytes) and bytes > keep.bytes then return true end
  return given(keep.ageMs) ~= nil and job.finishedAt + keep.ageMs <= now
end

local function bytesIn(field)
  return numberIn(call('HGET', base .. 'bytes', text(field)), 0) + (bytesDelta[field] or 0)
end

-- Writes the jobs of the batch that `list` begins with as they stand, and their ids in its place.
local function fallApart(queue, list)
  local entry = call('LPOP', list)
  local ids, fields, reversed = idsOfWhole(queue, entry), {}, {}
  -- Its jobs are told from others by that entry still; only their place here is lost.
  if #ids == 0 then return end
  for from = 1, #ids, SCAN do
    local to = math.min(from + SCAN - 1, #ids)
    for index, record in ipairs(call('HMGET', jobsKey, unpack(ids, from, to))) do
      local id = ids[from + index - 1]
      local current = record and readable(id, record, { state = COMPLETED, queue = queue })
      if current and current ~= record then fields[#fields + 1], fields[#fields + 2] = id, current end
      reversed[#ids - from - index + 2] = id
    end
  end
  callMany('HSET', jobsKey, fields, 2)
  callMany('LPUSH', list, reversed)
  dropWhole(queue, entry)
end

-- Ids at the front of a list, up to the next batch that was completed whole.
local function headsOf(queue, list)
  local entries = call('LRANGE', list, 0, HEADS - 1)
  while entries[1] and #entries[1] == WHOLE_BYTES do
    fallApart(queue, list)
    entries = call('LRANGE', list, 0, HEADS - 1)
  end
  local ids = {}
  for index, entry in ipairs(entries) do
    if #entry == WHOLE_BYTES then break end
    ids[index] = entry
  end
  return ids
end

-- The jobs of one queue and state, the oldest first. Hash `left:<queue>:<state>` has how many entries of a job in the list
-- count no more, because it was redriven or resolved since. `visit` returns true to stop; returns false when so many
-- entries were dropped on the way that the rest is for another call.
local function oldestFirst(queue, state, visit)
  local of = queue .. ':' .. state
  local list, late, left = base .. 'ended:' .. of, base .. 'late:' .. of, base .. 'left:' .. of
  local marked, isLate, seen, dropped = call('EXISTS', left) == 1, call('EXISTS', late) == 1, {}, 0

  local function counts(id, record)
    if not record or seen[id] then return false end
    if not isSound(record) then
      setAside(id, { state = state, queue = queue })
      return false
    end
    local form = formOf(record)
    if form.state ~= state or form.queue ~= queue then return false end
    if isLate and call('ZSCORE', late, id) then return false end
    if not marked or call('HEXISTS', left, id) == 0 then return true end
    if call('HINCRBY', left, id, -1) <= 0 then call('HDEL', left, id) end
    return false
  end

  -- Those before `time`, whose clock stood behind.
  local function visitLate(time)
    if not isLate then return false end
    for _, id in ipairs(call('ZRANGEBYSCORE', late, '-inf', '(' .. time)) do
      local record = call('HGET', jobsKey, id)
      if record and not seen[id] and readable(id, record, { state = state, queue = queue }) then
        seen[id] = true
        if visit(id, record) then return true end
      end
    end
    return false
  end

  while dropped < STALE_MOST do
    local ids = headsOf(queue, list)
    if #ids == 0 then
      visitLate('+inf')
      return true
    end
    local taken = 0
    for index, record in ipairs(call('HMGET', jobsKey, unpack(ids))) do
      local id, stop = ids[index], false
      if counts(id, record) then
        stop = isLate and visitLate(text(decode(id, record).finishedAt)) or visit(id, record)
        if not stop then seen[id] = true end
      else
        dropped = dropped + 1
      end
      if stop then
        call('LTRIM', list, taken, -1)
        return true
      end
      taken = index
    end
    call('LTRIM', list, taken, -1)
  end
  return false
end

-- Returns how many it deleted, and whether there are more.
local function pruneLine(queue, state, room)
  local of, doomed, more = settingsOf(queue), {}, false
  if of and of.isDamaged then return 0, false end
  local keep = (of and given(of.retention) or default)[NAMES[state]]
  local jobs, bytes = counted(queue, state), bytesIn(queue * 8 + state)
  local all = oldestFirst(queue, state, function(id, record)
    local job = decode(id, record)
    if not isBeyond(job, jobs, bytes, keep) then return true end
    if #doomed == room then
      more = true
      return true
    end
    job.recordBytes = #record
    doomed[#doomed + 1] = job
    jobs, bytes = jobs - 1, bytes - #record
    return false
  end)
  removeJobs(doomed)
  if jobs == 0 then
    forgetEnded(queue, state)
  end
  return #doomed, more or not all
end

-- Goes on where the last call stopped: a part of a hash in each.
local function scan(key, visit)
  local at = base .. 'scans'
  local cursor = call('HGET', at, key)
  if not cursor or #cursor > 19 or string.find(cursor, '%D') or cursor == '' then cursor = '0' end
  local found = call('HSCAN', key, cursor, 'COUNT', SCAN)
  if found[1] == '0' then call('HDEL', at, key) else call('HSET', at, key, found[1]) end
  for index = 1, #found[2], 2 do visit(found[2][index], found[2][index + 1]) end
end

local function pruneUnique()
  scan(uniqueKey, function(key, hold)
    local untilAt, state = tryUnpack('<I7B', hold)
    if not state or #hold < 9 then
      keepAside('unique ' .. key, hold)
      call('HDEL', uniqueKey, key)
    elseif isEnded(state) and untilAt <= now then
      call('HDEL', uniqueKey, key)
    end
  end)
end

-- Starts of keys that left the window.
local function pruneStarts(queue)
  local limits = limitsOf(queue)
  local rate = limits and given(limits.perKey.rate)
  if not rate then return end
  scan(base .. 'used:' .. queue, function(key)
    if key == '' then return end
    local _, past = expired(queue, key, rate)
    if past < call('ZCARD', startsKey(queue, key)) then return end
    call('UNLINK', startsKey(queue, key))
    call('HDEL', base .. 'used:' .. queue, key)
  end)
end

local function pruneWorkers()
  local deleted, found = 0, call('HGETALL', base .. 'workers')
  for index = 1, #found, 2 do
    local seenAt, leaseMs = tryUnpack('<I7I7', found[index + 1])
    if not leaseMs then
      keepAside('worker ' .. found[index], found[index + 1])
      call('HDEL', base .. 'workers', found[index])
    elseif seenAt + leaseMs <= now - workerKeptMs and #batchesOf(found[index]) == 0 then
      call('HDEL', base .. 'workers', found[index])
      deleted = deleted + 1
    end
  end
  return deleted
end

-- Plans whose time is over.
local PLANS_MOST = 1000
local function prunePlans()
  for _, key in ipairs(call('ZRANGEBYSCORE', expiresKey, '-inf', text(now), 'LIMIT', 0, PLANS_MOST)) do
    local plan = planToWrite(key)
    removePlan(key, plan and plan.kind)
  end
end

prunePlans()
pruneUnique()
for _, queue in ipairs(call('HKEYS', base .. 'settings')) do pruneStarts(numberIn(queue, 0)) end
local workers, jobs, more = pruneWorkers(), 0, false
local fields = call('HKEYS', base .. 'endedAt')
table.sort(fields)
for _, field in ipairs(fields) do
  local queue, state = floor(numberIn(field, 0) / 8), numberIn(field, 0) % 8
  if isEnded(state) and not more then
    local deleted
    deleted, more = pruneLine(queue, state, most - jobs)
    jobs = jobs + deleted
  end
end
return reply(jobs, workers, more and 1 or 0)
