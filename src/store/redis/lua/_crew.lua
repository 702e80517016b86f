-- Part: crew. Workers and what they hold. Hash `workers`: id -> seenAt I7, leaseMs I7, JSON of what the worker said of
-- itself. Needs: jobs, leases

-- The jobs that batches hold, in the order of their seq; those of a batch that cannot be read are not known.
local function heldBy(batches)
  local held = {}
  for _, number in ipairs(batches) do
    local batch = readBatch(number)
    for _, id in ipairs(batch and idsIn(batch) or {}) do
      local job = load(id)
      if job and job.batch == batch.number and job.state == RUNNING then held[#held + 1] = job end
    end
  end
  table.sort(held, function(one, other) return one.seq < other.seq end)
  return held
end

local function batchesOf(workerId)
  return call('SMEMBERS', base .. 'holds:' .. workerId)
end

-- What the settle rule asks for: id, batch, attempt, attemptsMax, crashes, 1 when cancellation was asked for, and what
-- a report of it names: numbers of queue and task as names.
local function subjects(jobs)
  local facts = {}
  for _, job in ipairs(jobs) do
    facts[#facts + 1] = { job.id, job.batch, job.attempt, job.attemptsMax, job.crashes, job.cancel and 1 or 0,
      nameOf('queue', job.queue), nameOf('task', job.task) }
  end
  return facts
end
