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

-- A job that lives again takes its key again, or goes on without one if somebody else has it by now.
local function regainUnique(job)
  if not job.unique then return end
  local hold = holdOf(job.unique)
  if not hold or not isHeld(hold) then setHold(job.unique, job.id, now, job.state)
  elseif hold.id ~= job.id then
    job.unique = nil
    save(job)
  end
end

local function idText(id)
  if #id ~= 16 then return (string.gsub(id, '%z', '')) end
  local hex = string.gsub(id, '.', function(char) return string.format('%02x', byte(char)) end)
  return table.concat({ sub(hex, 1, 8), sub(hex, 9, 12), sub(hex, 13, 16), sub(hex, 17, 20), sub(hex, 21) }, '-')
end

-- What becomes of a job that is given back. `replaced`, where there is one, is what the settle rule says if another job took
-- its unique key over, with `{{holder}}` for that job's id and 0 for the time.
local function givenBack(job, plain, replaced)
  if not replaced or not job.unique or job.cancel then return plain end
  local hold = holdOf(job.unique)
  if hold and hold.id == job.id then return plain end
  local err = string.gsub(replaced.error, '"at":0,', '"at":' .. text(now) .. ',', 1)
  local holder = hold and 'job ' .. idText(hold.id) or 'a newer job'
  replaced.error = string.gsub(err, 'job {{holder}}', function() return holder end)
  return replaced
end
