-- Part: change. Writes down what the settle rule returned for a running job, and all that follows from it.
-- Needs: turns, unique, leases

local function dropsAll(queue, state)
  local of = settingsOf(queue)
  local retention = of and given(of.retention)
  if not retention then return false end
  local keep = retention[state == COMPLETED and 'completed' or state == FAILED and 'failed' or 'cancelled']
  return keep.ageMs == 0 or keep.count == 0 or keep.bytes == 0
end

-- Something stopped running: where a limit made others wait, they may have room now.
local function hintRoom(queue)
  local limits = limitsOf(queue)
  if limits and given(limits.concurrency) then hint('ready') end
end

-- A job that has just ended gives its unique key up, and goes where retention is 0.
local function finish(job)
  hint('settled')
  releaseUnique(job)
  if isEnded(job.state) and dropsAll(job.queue, job.state) then removeJobs({ job }) end
end

-- `change`: { state, attempt, crashes, dueAt or nil, finishedAt or nil, result or nil, error (JSON) or nil }, absolute
-- times. `name` is the move: retry, fail, cancel, snooze, release, expire, complete.
local function applyChange(job, name, change)
  depart(job.batch)
  move(job, name, change.state, function()
    job.attempt, job.crashes = change.attempt, change.crashes
    job.dueAt = change.dueAt or job.dueAt
    job.finishedAt, job.result = change.finishedAt, change.result
    job.batch = nil
    if change.error then keepError(job, change.error) end
  end)
  if isEnded(job.state) then finish(job) else hint('ready') end
  hintRoom(job.queue)
end
