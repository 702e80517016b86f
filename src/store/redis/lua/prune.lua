#!lua flags=allow-oom
-- Deletes finished jobs beyond what their queue keeps, the oldest first, and what nobody needs any more besides.
-- ARGV[4] at most so many jobs; [5] retention of queues that nobody configured, as JSON; [6] ms for which a dead worker is
--         shown
-- Answers  jobs deleted; workers deleted; 1 when there is more to delete
-- Needs: turns, rates, unique, crew
local most, default, workerKeptMs = tonumber(ARGV[4]), cjson.decode(ARGV[5]), tonumber(ARGV[6])
local NAMES = { [COMPLETED] = 'completed', [FAILED] = 'failed', [CANCELLED] = 'cancelled' }
-- Entries that count no more and are dropped in one call.
local STALE_MOST = 10000
local SCAN = 1000

-- A line of ended jobs: hash `left:<queue>:<state>` has how many entries of a job in its list count no more, because it
-- was redriven or resolved since.
local function endedLine(queue, state)
  local of = queue .. ':' .. state
  local list, late, left = base .. 'ended:' .. of, base .. 'late:' .. of, base .. 'left:' .. of
  local self, stale = {}, 0

  local function dropHead(id)
    call('LPOP', list)
    if call('HEXISTS', left, id) == 1 and call('HINCRBY', left, id, -1) <= 0 then call('HDEL', left, id) end
    stale = stale + 1
  end

  -- The oldest job, and whether it stands in the list; nil when there is none or too much was dropped on the way.
  function self.oldest()
    local first
    while stale < STALE_MOST do
      local id = call('LINDEX', list, 0)
      if not id then break end
      local job = load(id)
      if job and job.state == state and job.queue == queue and call('HEXISTS', left, id) == 0
        and not call('ZSCORE', late, id) then first = job break end
      dropHead(id)
    end
    local lateId = call('ZRANGE', late, 0, 0)[1]
    local lateJob = lateId and load(lateId)
    if lateJob and (not first or lateJob.finishedAt < first.finishedAt) then return lateJob, false end
    return first, true
  end

  function self.remove(job, listed)
    if listed then call('LPOP', list) end
    removeJobs({ job })
  end

  function self.forget() call('UNLINK', list, late, left) end
  function self.isStale() return stale >= STALE_MOST end
  return self
end

local function isBeyond(job, jobs, bytes, keep)
  if given(keep.count) and jobs > keep.count then return true end
  if given(keep.bytes) and bytes > keep.bytes then return true end
  return given(keep.ageMs) ~= nil and job.finishedAt + keep.ageMs <= now
end

local function bytesIn(field)
  return tonumber(call('HGET', base .. 'bytes', text(field)) or 0) + (bytesDelta[field] or 0)
end

-- Returns how many it deleted, and whether there are more.
local function pruneLine(queue, state, room)
  local of, line, deleted = settingsOf(queue), endedLine(queue, state), 0
  local keep = (of and given(of.retention) or default)[NAMES[state]]
  while true do
    local jobs = counted(queue, state)
    if jobs == 0 then
      line.forget()
      return deleted, false
    end
    local job, listed = line.oldest()
    if not job or not isBeyond(job, jobs, bytesIn(queue * 8 + state), keep) then return deleted, line.isStale() end
    if deleted == room then return deleted, true end
    line.remove(job, listed)
    deleted = deleted + 1
  end
end

-- Goes on where the last call stopped: a part of a hash in each.
local function scan(key, visit)
  local at = base .. 'scans'
  local found = call('HSCAN', key, call('HGET', at, key) or '0', 'COUNT', SCAN)
  if found[1] == '0' then call('HDEL', at, key) else call('HSET', at, key, found[1]) end
  for index = 1, #found[2], 2 do visit(found[2][index], found[2][index + 1]) end
end

local function pruneUnique()
  scan(uniqueKey, function(key, hold)
    local untilAt, state = unpackStruct('<I7B', hold)
    if isEnded(state) and untilAt <= now then call('HDEL', uniqueKey, key) end
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
    local seenAt, leaseMs = unpackStruct('<I7I7', found[index + 1])
    if seenAt + leaseMs <= now - workerKeptMs and #batchesOf(found[index]) == 0 then
      call('HDEL', base .. 'workers', found[index])
      deleted = deleted + 1
    end
  end
  return deleted
end

pruneUnique()
for _, queue in ipairs(call('HKEYS', base .. 'settings')) do pruneStarts(tonumber(queue)) end
local workers, jobs, more = pruneWorkers(), 0, false
local fields = call('HKEYS', base .. 'counts')
table.sort(fields)
for _, field in ipairs(fields) do
  local queue, state = floor(field / 8), field % 8
  if isEnded(state) and not more then
    local deleted
    deleted, more = pruneLine(queue, state, most - jobs)
    jobs = jobs + deleted
  end
end
return reply(jobs, workers, more and 1 or 0)
