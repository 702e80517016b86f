#!lua flags=allow-oom
-- What operators do to single jobs, audited where it applies.
-- ARGV[4]... for each command: id; what to do; the states that allow it, as digits; its value (dueAt, priority, or the
--            result or input after `s`, `n` for none); its audit entry as JSON up to what is known only here
-- Answers   for each command: done, requested, refused or unknown; the state after it, -1 for none
-- Needs: change, turns, unique

-- Where the entry of an ended job stands in the list of its kind, it is a hint no more; prune must know.
local function forgetEnd(job)
  if not isEnded(job.state) then return end
  local of = job.queue .. ':' .. job.state
  if not call('ZSCORE', base .. 'late:' .. of, job.id) then call('HINCRBY', base .. 'left:' .. of, job.id, 1) end
end

-- The value is the entry's JSON without its end.
local function audit(job, entry, to)
  note(job, entry .. ',"at":' .. text(now) .. ',"from":' .. job.state .. ',"to":' .. to .. '}')
end

local act = {}

function act.cancel(job, _, entry)
  if job.state == RUNNING then
    job.cancel = true
    audit(job, entry, RUNNING)
    save(job)
    hint('control')
    return 'requested', RUNNING
  end
  audit(job, entry, CANCELLED)
  move(job, 'cancel', CANCELLED, function()
    job.cancel, job.finishedAt = true, now
  end)
  finish(job)
  return 'done', CANCELLED
end

function act.redrive(job, _, entry)
  forgetEnd(job)
  audit(job, entry, READY)
  move(job, 'redrive', READY, function()
    job.attempt, job.crashes, job.cancel, job.dueAt, job.finishedAt = 0, 0, false, now, nil
  end)
  regainUnique(job)
  hint('ready')
  return 'done', READY
end

function act.resolve(job, value, entry)
  forgetEnd(job)
  audit(job, entry, COMPLETED)
  move(job, 'resolve', COMPLETED, function()
    job.finishedAt = now
    job.result = nil
    if sub(value, 1, 1) == 's' then job.result = sub(value, 2) end
  end)
  finish(job)
  return 'done', COMPLETED
end

function act.reschedule(job, value, entry)
  local dueAt = tonumber(value)
  local to = dueAt > now and SCHEDULED or READY
  audit(job, entry, to)
  move(job, 'reschedule', to, function()
    job.dueAt = math.max(wholeMs(dueAt), now)
  end)
  hint('ready')
  return 'done', to
end

function act.reprioritize(job, value, entry)
  audit(job, entry, job.state)
  rearrange(job, nil, function() job.priority = tonumber(value) end)
  return 'done', job.state
end

function act.edit(job, value, entry)
  audit(job, entry, job.state)
  rearrange(job, nil, function()
    job.input = nil
    if sub(value, 1, 1) == 's' then job.input = sub(value, 2) end
  end)
  return 'done', job.state
end

function act.remove(job)
  dismiss(job)
  removeJobs({ job })
  hint('settled')
  return 'done', -1
end

local receipts = {}
for index = 4, #ARGV, 5 do
  local job, isDamaged = load(ARGV[index])
  local status, state = 'unknown', -1
  if isDamaged then status, state = 'refused', FAILED
  elseif job and not string.find(ARGV[index + 2], tostring(job.state), 1, true) then status, state = 'refused', job.state
  elseif job then status, state = act[ARGV[index + 1]](job, ARGV[index + 3], ARGV[index + 4]) end
  receipts[#receipts + 1] = { status, state }
end
return reply(receipts)
