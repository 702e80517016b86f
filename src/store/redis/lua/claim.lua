#!lua flags=allow-oom
-- Jobs out: promotes what is due, then leases the first jobs of each queue that is not paused, as far as its limits go.
-- ARGV[4] id of the worker; [5] leaseMs; [6] at most so many; [7] id of the claim; [8]... queues, in the order to look at
-- Reply   nextDueAt as text, '' for none; then for each queue that gave jobs: its place in the request from 0, jobs
-- Needs: line, leases, rates, wire
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

-- A job as leased: the settle rule for a claim is to count the attempt.
local function leased(record, batch)
  local seq, state, flags, attempt, crashes, queue, task, priority, attemptsMax, createdAt = unpackStruct(HEAD, record)
  local at = HEAD_BYTES + 1
  if has(flags, WIDE) > 0 then at = at + 7 end
  if has(flags, DUE) > 0 then at = at + 7 end
  local rest = at
  if has(flags, STARTED) > 0 then rest = rest + 6 end
  flags = without(with(flags, STARTED + BATCH), APART)
  return seq, pack(HEAD, seq, state - READY + RUNNING, flags, attempt + 1, crashes, queue, task, priority, attemptsMax,
    createdAt) .. sub(record, HEAD_BYTES + 1, at - 1) .. pack('<I6I6', now, batch) .. sub(record, rest)
end

-- The jobs as a reply, and whether there may be more to take at once.
local function take(queue, want)
  local limits = limitsOf(queue)
  local rate, keyRate = limits and given(limits.rate), limits and given(limits.perKey.rate)
  local batch
  local records, members, jobs, chunks = {}, {}, {}, {}
  local final = walkLine(queue, want, LOOKED_MAX + want, function(id, record)
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
    batch = batch or openBatch()
    local seq, changed = leased(record, batch)
    loaded[id] = nil
    local size = #members + 1
    records[2 * size - 1], records[2 * size] = id, changed
    members[size] = idBytes(id)
    jobs[size] = members[size] .. pack('<I4', #changed) .. changed
    local chunk = floor(seq / CHUNK)
    chunks[chunk] = (chunks[chunk] or 0) + 1
    return true
  end)
  if #members == 0 then return nil, final end
  callMany('HSET', jobsKey, records, 2)
  for chunk, by in pairs(chunks) do
    placeDelta[chunk * 8 + READY] = (placeDelta[chunk * 8 + READY] or 0) - by
    placeDelta[chunk * 8 + RUNNING] = (placeDelta[chunk * 8 + RUNNING] or 0) + by
  end
  countDelta[queue * 8 + READY] = (countDelta[queue * 8 + READY] or 0) - #members
  countDelta[queue * 8 + RUNNING] = (countDelta[queue * 8 + RUNNING] or 0) + #members
  closeBatch(batch, workerId, claimId, queue, expiresAt, members)
  if rate then takeStarts(queue, '', rate, #members) end
  return table.concat(jobs), final, #members
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
      local jobs, final, taken = take(queue, want)
      if jobs then
        answer[#answer + 1], answer[#answer + 2] = index - 8, jobs
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
