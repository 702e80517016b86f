#!lua flags=no-writes
-- Whether the jobs of some chunks can be read, are counted, and are where they should be.
-- ARGV[4]... numbers of chunks
-- Answers  jobs looked at; ids of jobs that cannot be read; a list of faults as in doctor.lua
-- Needs: turns, unique, leases, walk
local looked, unreadable, faults = 0, {}, {}
local function fault(kind, what)
  faults[#faults + 1] = { kind, what }
end

local function isPlaced(job)
  if job.state == SCHEDULED and not call('ZSCORE', base .. 'due:' .. job.queue, dueMember(job)) then return false end
  if job.apart and not call('ZSCORE', base .. 'back:' .. job.queue, backMember(job)) then return false end
  for _, term in ipairs(termsOf(job.meta)) do
    if not call('ZSCORE', termsKey, termMember(term, job.seq, job.id)) then return false end
  end
  if not job.key then return true end
  if job.turn == HELD then return call('ZSCORE', keyPlace('held', job.queue, job.key), heldMember(job)) end
  return job.turn == NONE or call('SISMEMBER', keyPlace('turn', job.queue, job.key), job.id) == 1
end

local function look(id, record)
  local job = decode(id, asItStands(id, record))
  if nameOf('queue', job.queue) == '' then fault('names', 'queue') end
  if nameOf('task', job.task) == '' then fault('names', 'task') end
  if not isPlaced(job) then fault('lines', job.queue) end
  if job.state == RUNNING and not readBatch(text(job.batch)) then fault('leases', job.id) end
  if job.trail then
    for _, list in ipairs({ 'trail:', 'errors:', 'logs:' }) do call('LLEN', base .. list .. id) end
  end
  if job.unique and not isEnded(job.state) and not holdOf(job.unique) then fault('lines', job.queue) end
  return job.state
end

for index = 4, #ARGV do
  local chunk, tally = tonumber(ARGV[index]), {}
  for _, id in ipairs(idsOfChunk(chunk)) do
    local record = call('HGET', jobsKey, id)
    if record and not isSound(record) then
      unreadable[#unreadable + 1] = id
    elseif record and floor(seqOf(record) / CHUNK) == chunk then
      local state = look(id, record)
      tally[state] = (tally[state] or 0) + 1
      looked = looked + 1
    end
  end
  if #unreadable == 0 then
    for state = SCHEDULED, CANCELLED do
      if numberIn(call('HGET', base .. 'places', text(chunk * 8 + state)), 0) ~= (tally[state] or 0) then
        fault('counts', 'place ' .. chunk)
      end
    end
  end
end
return reply(looked, unreadable, faults)
