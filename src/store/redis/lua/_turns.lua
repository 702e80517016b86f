-- Part: turns. Whose turn it is among the jobs of a key, as core/limits.ts and docs/store-contract.md (Keys) say.
-- NONE: scheduled or ended; LINE: in the line of its key, or without a key; LATER: in the line, but put off until
-- its key's rate has room; HELD: ready, and waits for one of its key to leave the line. Needs: jobs, terms
local KEY_WINDOW = 10

local function windowOf(queue)
  local limits = limitsOf(queue)
  if not limits then return KEY_WINDOW end
  if limits.perKey.ordered then return 1 end
  return given(limits.perKey.concurrency) or KEY_WINDOW
end

-- Only `retry` and `snooze` keep a place in the line of keys in order while the job waits for its time.
local function staysInLine(move, state, queue)
  if isEnded(state) then return false end
  if state ~= SCHEDULED then return true end
  local limits = limitsOf(queue)
  return (limits and limits.perKey.ordered or false) and (move == 'retry' or move == 'snooze')
end

local function lineLength(queue, key)
  return call('SCARD', keyPlace('turn', queue, key))
end

-- The turn of a job that came to its state by `move`, or was added (nil). It stands in no line now.
local function turnOf(job, move)
  if not job.key then return LINE end
  if move and inLine(job) and staysInLine(move, job.state, job.queue) then return LINE end
  if job.state ~= READY then return NONE end
  return lineLength(job.queue, job.key) < windowOf(job.queue) and LINE or HELD
end

local function setTurn(job, turn, ticket)
  leave(job)
  job.turn = turn
  job.ticket = ticket or job.ticket
  enter(job)
end

-- Lets the next jobs of a key in, to the end of the line.
local function admit(queue, key)
  if not key then return end
  local held = keyPlace('held', queue, key)
  local window
  while true do
    local first = call('ZRANGE', held, 0, 0)[1]
    if not first then return end
    window = window or windowOf(queue)
    if lineLength(queue, key) >= window then return end
    local job, isDamaged = load(sub(first, 11), { queue = queue, state = READY })
    if job and job.turn == HELD and job.key == key and job.queue == queue and heldMember(job) == first then
      setTurn(job, LINE, nextNumber())
      hint('ready')
    else
      if not job and not isDamaged and #first > 10 then countMissing(queue, READY, unpackStruct('>I6', first, 5)) end
      call('ZREM', held, first)
    end
  end
end

-- Changes what a job's lines are ordered by. With a `move`, its turn follows; without, it stays as it is.
local function rearrange(job, move, change)
  local queue, key = job.queue, job.key
  leave(job)
  change(job)
  if job.queue ~= queue or job.key ~= key then
    job.turn, job.ticket = NONE, nil
  end
  if move then job.turn = turnOf(job, move) end
  enter(job)
  admit(queue, key)
end

-- Takes a job to another state; `change` sets whatever else goes with it. The caller has checked that the move is allowed.
local function move(job, name, to, change)
  rearrange(job, name, function()
    job.state = to
    if change then change(job) end
  end)
end

-- Makes a ready job wait until its key's rate has room. It stays in the line, so that no more of its key are put off.
local function putOff(job, dueAt)
  rearrange(job, nil, function()
    job.state, job.turn, job.dueAt = SCHEDULED, LATER, dueAt
  end)
end

-- Deletes jobs and their trails, all of them before the next of their keys are let in.
local function removeJobs(list)
  local keys, seen, ids = {}, {}, {}
  for index, job in ipairs(list) do
    leave(job)
    ids[index] = job.id
    loaded[job.id] = false
    if job.trail then call('UNLINK', base .. 'trail:' .. job.id, base .. 'errors:' .. job.id, base .. 'logs:' .. job.id) end
    leaveChunk(job.seq)
    if job.meta then leaveTerms(job) end
    if job.key and not seen[job.queue .. ':' .. job.key] then
      seen[job.queue .. ':' .. job.key] = true
      keys[#keys + 1] = { job.queue, job.key }
    end
  end
  callMany('HDEL', jobsKey, ids)
  table.sort(keys, function(one, other)
    if one[1] ~= other[1] then return one[1] < other[1] end
    return one[2] < other[2]
  end)
  for _, of in ipairs(keys) do admit(of[1], of[2]) end
end

-- After other limits were written to `settings`: lets the line of every key be as long as they say; the youngest go
-- back, or more are let in.
local function setLimits(queue)
  settings[queue] = nil
  local limits = limitsOf(queue)
  local ordered = limits and limits.perKey.ordered or false
  local keys = call('SMEMBERS', base .. 'keys:' .. queue)
  table.sort(keys)
  for _, key in ipairs(keys) do
    for _, id in ipairs(call('SMEMBERS', keyPlace('turn', queue, key))) do
      local job = load(id, { queue = queue })
      if not job or job.queue ~= queue or job.key ~= key or not inLine(job) then
        call('SREM', keyPlace('turn', queue, key), id)
      elseif job.state == SCHEDULED and (job.turn == LATER or not ordered) then
        leave(job)
        if job.turn == LATER then job.state, job.turn, job.dueAt = READY, LINE, now
        else job.turn = NONE end
        enter(job)
      end
    end
    local waiting, members = {}, call('SMEMBERS', keyPlace('turn', queue, key))
    for _, id in ipairs(members) do
      local job = load(id)
      if job and job.state == READY then waiting[#waiting + 1] = job end
    end
    table.sort(waiting, function(one, other)
      if one.priority ~= other.priority then return one.priority > other.priority end
      return one.seq > other.seq
    end)
    for index = 1, math.min(#waiting, #members - windowOf(queue)) do setTurn(waiting[index], HELD) end
    admit(queue, key)
  end
end
