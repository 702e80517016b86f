-- Part: unique. Unique keys, as core/unique.ts's table says. Hash `unique`: key -> until I7, state B, id. The key is held
-- while its job lives, and until `until`, whichever is later; state is the job's last, should the job be gone. Needs: jobs
local uniqueKey = base .. 'unique'

-- Who has the key, be it held or not: { id, untilAt, state }.
local function holdOf(key)
  local hold = call('HGET', uniqueKey, key)
  if not hold or #hold < 9 then return nil end
  local untilAt, state, at = unpackStruct('<I7B', hold)
  return { id = sub(hold, at), untilAt = untilAt, state = state }
end

local function setHold(key, id, untilAt, state)
  call('HSET', uniqueKey, key, pack('<I7B', untilAt, state) .. id)
end

local function isHeld(hold)
  if hold.untilAt > now then return true end
  local job = load(hold.id)
  return job ~= nil and not isEnded(job.state)
end

-- A job that has just ended gives its key up, unless the key's period runs on.
local function releaseUnique(job)
  if not job.unique then return end
  local hold = holdOf(job.unique)
  if not hold or hold.id ~= job.id then return end
  if hold.untilAt <= now then call('HDEL', uniqueKey, job.unique)
  else setHold(job.unique, job.id, hold.untilAt, job.state) end
end

-- A job that is removed or cleared frees its key at once.
local function freeUnique(job)
  if not job.unique then return end
  local hold = holdOf(job.unique)
  if hold and hold.id == job.id then call('HDEL', uniqueKey, job.unique) end
end

-- A job that lives again takes its key again, if nobody else has it by now.
local function regainUnique(job)
  if not job.unique then return end
  local hold = holdOf(job.unique)
  if not hold or not isHeld(hold) then setHold(job.unique, job.id, now, job.state) end
end
