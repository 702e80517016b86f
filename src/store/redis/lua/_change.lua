-- Part: change. Writes down what the settle rule returned for a running job, and all that follows from it.
-- Needs: turns, unique, leases, plans

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

-- A job that has just ended gives its unique key up, reports, and goes where retention is 0.
local function finish(job)
  hint('settled')
  releaseUnique(job)
  reportEnd(job)
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

-- A job that goes before it ended, if it did not end: it frees its key and reports.
local function dismiss(job)
  freeUnique(job)
  if not isEnded(job.state) then reportEnd(job) end
end

-- Outcomes as settle.ts writes them: kind B (0 completed, else the move), id, batch I6, seq I6, attempt I3, attemptsMax d, crashes
-- I2; then for a completion the result as a text, else two changes: one if cancellation was not asked for, one if it was.
local MOVES = { [0] = 'complete', 'retry', 'fail', 'cancel', 'snooze', 'release' }
local function readOutcome(read)
  local item = { kind = read.number('B') }
  local id = read.id()
  item.batch, item.seq = read.number('<I6'), read.number('<I6')
  item.attempt, item.attemptsMax, item.crashes = read.number('<I3'), read.number('<d'), read.number('<I2')
  if item.kind == 0 then item.result = read.text()
  else
    item.plain, item.cancelled = read.change(now), read.change(now)
    if read.number('B') == 1 then item.replaced = read.change(now) end
  end
  return id, item
end

-- What an outcome makes of a job as it is saved; nil where it is lost.
local function changeBy(job, item)
  if not job or job.state ~= RUNNING or job.batch ~= item.batch or job.seq ~= item.seq then return nil end
  if item.kind == 0 then
    return { state = COMPLETED, attempt = job.attempt, crashes = job.crashes, finishedAt = now, result = item.result }
  end
  if job.attempt ~= item.attempt or job.attemptsMax ~= item.attemptsMax or job.crashes ~= item.crashes then return nil end
  return job.cancel and item.cancelled or givenBack(job, item.plain, item.replaced)
end
