-- Part: jobs. A job and every line, count and set that depends on its state: the one place that changes them for a job
-- by itself (claim, settle and enqueue have short ways for many). Needs: whole, names, counts
--
-- Lines, by number of the queue:
--   line:<queue>:<priority>  list of ids in the order of their seq: jobs that were ready when they were added. Entries
--                            are hints: one counts if its job is ready, in its turn, and still of this queue and priority
--   priorities:<queue>       sorted set: the priorities with such a list
--   back:<queue>             sorted set of equal scores: priority, place, id of jobs that came back or were let in
--   due:<queue>              sorted set by due time: seq, id of scheduled jobs
--   ended:<queue>:<state>    list of ids in the order of their end; `late:...` (sorted set by that time) has those whose
--                            clock stood behind another's. Hash `endedAt`: the last time of each list. Entries are hints; a
--                            batch that was completed whole is one entry (part whole)
--   turn:<queue>:<key>       set of ids in the line of a key
--   held:<queue>:<key>       sorted set of equal scores: priority, seq, id of jobs that wait for their turn
--   keys:<queue>             set of the keys that have either
local loaded = {}

-- nil when there is none; then also whether there is one that cannot be read (see whole's setAside).
local function load(id, was)
  local job = loaded[id]
  if job then return job end
  if job == nil then
    local record = call('HGET', jobsKey, id)
    if record and not isSound(record) then
      setAside(id, was)
      return nil, true
    end
    job = record and decode(id, asItStands(id, record)) or false
    loaded[id] = job
  end
  return job or nil
end

local function save(job)
  loaded[job.id] = job
  if job.batch then call('HDEL', base .. 'intact', text(job.batch)) end
  call('HSET', jobsKey, job.id, encode(job))
end

-- Jobs and tickets are numbered by one sequence, so that who is let in stands behind all that came before.
local lastNumber
local function nextNumber()
  if not lastNumber then
    lastNumber = numberIn(call('GET', base .. 'seq'), nil)
    if not lastNumber then lastNumber = call('EXISTS', jobsKey) == 1 and numberAfterLoss() or 0 end
    atEnd[#atEnd + 1] = function() call('SET', base .. 'seq', text(lastNumber)) end
  end
  lastNumber = lastNumber + 1
  return lastNumber
end

local function placeOf(job)
  return job.ticket or job.seq
end

-- Bytes that sort as (priority, place).
local function backMember(job)
  return pack('>I4I6', job.priority + 2147483648, placeOf(job)) .. job.id
end
local function heldMember(job)
  return pack('>I4I6', job.priority + 2147483648, job.seq) .. job.id
end
local function dueMember(job)
  return pack('>I6', job.seq) .. job.id
end

local function isEnded(state)
  return state >= COMPLETED
end

-- At the end of those that ended so, unless the clock went back.
local function pushEnded(queue, state, finishedAt, ids)
  local field = queue * 8 + state
  local last = numberIn(call('HGET', base .. 'endedAt', field), 0)
  if finishedAt >= last then
    if finishedAt > last then call('HSET', base .. 'endedAt', field, text(finishedAt)) end
    callMany('RPUSH', base .. 'ended:' .. queue .. ':' .. state, ids)
  else
    for _, id in ipairs(ids) do call('ZADD', base .. 'late:' .. queue .. ':' .. state, text(finishedAt), id) end
  end
end

-- Where no job of the queue is in the state, the entries there are count no more.
local function forgetEnded(queue, state)
  local of = queue .. ':' .. state
  call('UNLINK', base .. 'ended:' .. of, base .. 'late:' .. of, base .. 'left:' .. of)
  if state == COMPLETED then
    call('UNLINK', base .. 'wholeAt:' .. queue, base .. 'wholeIds:' .. queue, base .. 'wholeResults:' .. queue)
  end
  call('HDEL', base .. 'endedAt', queue * 8 + state)
end

local function inLine(job)
  return job.turn == LINE or job.turn == LATER
end

local function keyPlace(kind, queue, key)
  return base .. kind .. ':' .. queue .. ':' .. key
end

local function enterKey(job)
  if job.turn == NONE then return end
  call('SADD', base .. 'keys:' .. job.queue, job.key)
  if job.turn == HELD then call('ZADD', keyPlace('held', job.queue, job.key), 0, heldMember(job))
  else call('SADD', keyPlace('turn', job.queue, job.key), job.id) end
end

local function leaveKey(job)
  if job.turn == NONE then return end
  if job.turn == HELD then call('ZREM', keyPlace('held', job.queue, job.key), heldMember(job))
  else call('SREM', keyPlace('turn', job.queue, job.key), job.id) end
  if call('EXISTS', keyPlace('held', job.queue, job.key), keyPlace('turn', job.queue, job.key)) == 0 then
    call('SREM', base .. 'keys:' .. job.queue, job.key)
  end
end

-- Puts a job where its state belongs and saves it.
local function enter(job)
  count(job, job.state, 1)
  if job.key then enterKey(job) end
  job.apart = job.state == READY and job.turn == LINE
  if job.apart then call('ZADD', base .. 'back:' .. job.queue, 0, backMember(job))
  elseif job.state == SCHEDULED then call('ZADD', base .. 'due:' .. job.queue, text(job.dueAt), dueMember(job))
  elseif isEnded(job.state) then
    pushEnded(job.queue, job.state, job.finishedAt, { job.id })
    job.bytes = #encode(job)
    countBytes(job.queue, job.state, job.bytes)
  end
  save(job)
end

-- Counts out a job that is listed and has no record any more.
local function countMissing(queue, state, seq)
  count({ queue = queue, seq = seq }, state, -1)
end

-- Takes a job, as it is saved, from where its state belongs. To be followed by enter or by its deletion. Who has the
-- record in hand says how long it is (recordBytes).
local function leave(job)
  count(job, job.state, -1)
  if job.key then leaveKey(job) end
  if job.apart then call('ZREM', base .. 'back:' .. job.queue, backMember(job)) end
  if job.state == SCHEDULED then call('ZREM', base .. 'due:' .. job.queue, dueMember(job)) end
  if isEnded(job.state) then
    call('ZREM', base .. 'late:' .. job.queue .. ':' .. job.state, job.id)
    countBytes(job.queue, job.state, -(job.recordBytes or #encode(job)))
  end
end

-- Adds an entry of the audit trail, JSON. List `trail:<id>`.
local function note(job, json)
  job.trail = true
  call('RPUSH', base .. 'trail:' .. job.id, json)
end

-- Adds JSON to a list of which the first and the last entries are kept. Once there are more, a number between them says
-- how many were left out.
local function keep(job, list, first, last, json)
  job.trail = true
  local key, omitted = base .. list .. job.id, 1
  local length = call('RPUSH', key, json)
  if length <= first + last then return end
  if length > first + last + 1 then
    omitted = tonumber(call('LINDEX', key, first)) + 1
    call('LSET', key, first + 1, '')
    call('LREM', key, 1, '')
  end
  call('LSET', key, first, tostring(omitted))
end

-- List `errors:<id>`.
local function keepError(job, json)
  keep(job, 'errors:', ERRORS_KEPT_FIRST, ERRORS_KEPT_LAST, json)
end

-- List `logs:<id>`.
local function keepLog(job, json)
  keep(job, 'logs:', 0, LOGS_KEPT, json)
end
