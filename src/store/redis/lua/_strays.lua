-- Part: strays. Makes leases anew, from the jobs that say they have one, where what part leases keeps of them is damaged or
-- gone. Needs: walk, crew

-- The running jobs by the number of their batch, and how many they are.
local running, runningTotal
local function runningByBatch()
  if running then return running end
  running, runningTotal = {}, 0
  for _, chunk in ipairs(chunksWith(tostring(RUNNING))) do
    for _, id in ipairs(idsOfChunk(chunk)) do
      local record = entryOf(id, chunk)
      record = record and asItStands(id, record)
      if record and formOf(record).state == RUNNING then
        local job = decode(id, record)
        local number = text(job.batch)
        running[number] = running[number] or {}
        running[number][#running[number] + 1] = job
        runningTotal = runningTotal + 1
      end
    end
  end
  return running
end

-- For a batch that cannot be read. No worker can settle it as a whole any more.
local function leaseAgain(number, workerId, expiresAt)
  local bytes, jobs = call('HGET', base .. 'batches', number), runningByBatch()[number]
  if bytes then keepAside('batch ' .. number, bytes) end
  if not jobs then return dropBatch(number, workerId) end
  local ids = {}
  for index, job in ipairs(jobs) do ids[index] = job.id end
  call('HDEL', base .. 'intact', number)
  closeBatch(number, { workerId = workerId, claimId = '', queue = jobs[1].queue }, expiresAt, packIds(ids), #ids)
end

-- Whether all that is kept of leases goes together: as many of each, and as many jobs as run.
local function areLeasesWhole()
  local batches, live, jobs = call('HLEN', base .. 'batches'), call('HVALS', base .. 'live'), 0
  if #live ~= batches or call('ZCARD', base .. 'expiry') ~= batches then return false end
  for _, count in ipairs(live) do jobs = jobs + numberIn(count, 0) end
  local counts = call('HGETALL', base .. 'counts')
  for index = 1, #counts, 2 do
    if numberIn(counts[index], 0) % 8 == RUNNING then jobs = jobs - numberIn(counts[index + 1], 0) end
  end
  return jobs == 0
end

-- How many jobs of a queue run, where all that run are known.
local function recountRunning()
  local found = {}
  for _, jobs in pairs(running) do
    found[jobs[1].queue] = (found[jobs[1].queue] or 0) + #jobs
  end
  for _, field in ipairs(call('HKEYS', base .. 'counts')) do
    local number = numberIn(field, 0)
    local queue = floor(number / 8)
    if number % 8 == RUNNING then countDelta[number] = (found[queue] or 0) - counted(queue, RUNNING) + (countDelta[number] or 0) end
  end
end

local function mendLeases()
  if areLeasesWhole() then return end
  local held = 0
  for number in pairs(runningByBatch()) do
    if not readBatch(number) then leaseAgain(number, '', now) end
  end
  for _, number in ipairs(call('ZRANGE', base .. 'expiry', 0, -1)) do
    if call('HEXISTS', base .. 'batches', number) == 0 then call('ZREM', base .. 'expiry', number) end
  end
  for _, number in ipairs(call('HKEYS', base .. 'batches')) do
    local batch = readBatch(number)
    if batch then
      local jobs = heldBy({ number })
      held = held + #jobs
      call('HSET', base .. 'live', number, #jobs)
      call('ZADD', base .. 'expiry', text(batch.expiresAt), number)
      if #jobs == 0 then dropBatch(number, batch.workerId) end
    else
      call('ZADD', base .. 'expiry', text(now), number)
    end
  end
  if held == runningTotal then recountRunning() end
end
