-- Part: plans. Plans, their kept texts and their reports (store/plans.ts); plans.ts reads the same bytes.
-- Needs: whole, terms
--   plans            hash: key -> seq I6, version I6, createdAt I7, updatedAt I7, wakeAt d and expiresAt d (NaN for none), kind,
--                    label and state, each with its length I4 before it, value
--   planTexts:<key>  hash: name -> text
--   reports:<key>    sorted set by number: number I6, at I7, state B, attempt I3, startedAt d (NaN for none), then as texts (I4;
--                    4294967295 for none) the part, id of the job, result, error (JSON)
--   planReports      sorted set of the plans with reports, by the time of the first one
--   planWakes        sorted set of plans by wakeAt; planExpires likewise by expiresAt
--   planSeqs:<kind>  sorted set of the plans of a kind, by seq
--   planNo, reportNo numbers given last
local plansKey, wakesKey, expiresKey, tellersKey = base .. 'plans', base .. 'planWakes', base .. 'planExpires', base .. 'planReports'

local function reportsKey(plan) return base .. 'reports:' .. plan end

-- nil where there is none that can be read; then also its bytes, where there are any. `bytes`: where they were read already.
local function readPlan(key, bytes)
  bytes = bytes or call('HGET', plansKey, key)
  if not bytes then return nil end
  local seq, version, createdAt, updatedAt, wakeAt, expiresAt, at = tryUnpack('<I6I6I7I7dd', bytes)
  local kind, label, state
  if at then kind, label, state, at = tryUnpack('<I4c0I4c0I4c0', bytes, at) end
  if not at then return nil, bytes end
  return { key = key, seq = seq, version = version, createdAt = createdAt, wakeAt = wakeAt, expiresAt = expiresAt, kind = kind, label = label,
    state = state, bytes = bytes }
end

local function nextOf(name)
  local number = call('INCR', base .. name)
  if number > 1 or call('EXISTS', plansKey) == 0 then return number end
  number = numberAfterLoss()
  call('SET', base .. name, text(number))
  return number
end

-- Reports of a call are numbered together.
local lastReport
local function nextReport()
  if not lastReport then
    lastReport = nextOf('reportNo')
    atEnd[#atEnd + 1] = function() call('SET', base .. 'reportNo', text(lastReport)) end
  else
    lastReport = lastReport + 1
  end
  return lastReport
end

local function removePlan(key, kind)
  call('HDEL', plansKey, key)
  call('UNLINK', base .. 'planTexts:' .. key, reportsKey(key))
  for _, index in ipairs({ wakesKey, expiresKey, tellersKey }) do call('ZREM', index, key) end
  if kind then call('ZREM', base .. 'planSeqs:' .. kind, key) end
end

-- The plan for who is to write; one that cannot be read is set aside first, with its bytes, and is none.
local function planToWrite(key)
  local plan, bytes = readPlan(key)
  if not plan and bytes then
    keepAside('plan ' .. key, bytes)
    removePlan(key)
  end
  return plan
end

local function setIndex(index, key, at)
  if at == at then call('ZADD', index, text(wholeMs(at)), key) else call('ZREM', index, key) end
end

-- Bytes of a report's result; nil where the report cannot be read.
local function resultBytes(report)
  local at = 26
  for index = 1, 3 do
    local length = tryUnpack('<I4', report, at)
    if not length then return nil end
    if length == NOTHING then length = 0 end
    if index == 3 then return length end
    at = at + 4 + length
  end
end

-- When it came; nil where it cannot be read.
local function reportAt(report, score)
  local no, at = tryUnpack('<I6I7', report)
  return no and no == tonumber(score) and resultBytes(report) and at
end

-- After reports were taken: by the first one left. Those in front that cannot be read are set aside.
local function indexReports(key)
  while true do
    local first = call('ZRANGE', reportsKey(key), 0, 0, 'WITHSCORES')
    if not first[1] then return call('ZREM', tellersKey, key) end
    local at = reportAt(first[1], first[2])
    if at then return call('ZADD', tellersKey, text(at), key) end
    keepAside('report ' .. first[2] .. ' of plan ' .. key, first[1])
    call('ZREM', reportsKey(key), first[1])
  end
end

-- Reports in two parts, without their number: what those of jobs that ended alike have in common, and their texts.
local function reportFront(state, attempt, startedAt)
  return pack('<I7BI3d', now, state, attempt, startedAt or 0 / 0)
end

-- For a running job that completes.
local function completedReport(record)
  local form = formOf(record)
  local attempt = has(form.flags, TRIES) > 0 and unpackStruct('<I3', record, form.triesAt) or 0
  return reportFront(COMPLETED, attempt, (unpackStruct('<I6', record, form.startedAt)))
end

local function reportTexts(as, job, result, error)
  local function textOf(value) return value and pack('<I4', #value) .. value or pack('<I4', NOTHING) end
  return textOf(as) .. textOf(job) .. textOf(result) .. textOf(error)
end

-- Adds reports as bytes without their number, if there is such a plan. Returns whether there is.
local function addReports(key, reports)
  if not planToWrite(key) then return false end
  local entries = {}
  for index, bytes in ipairs(reports) do
    local no = nextReport()
    entries[2 * index - 1], entries[2 * index] = text(no), pack('<I6', no) .. bytes
  end
  callMany('ZADD', reportsKey(key), entries, 2)
  call('ZADD', tellersKey, 'NX', text(now), key)
  hint('plan')
  return true
end

local function addReport(key, of)
  return addReports(key, { reportFront(of.state, of.attempt, of.startedAt) .. reportTexts(of.as, of.job, of.result, of.error) })
end

-- What `plan` in a job's meta says (core/plan.ts); nil for none.
local function planRefIn(meta)
  if not meta or not string.find(meta, '"plan"', 1, true) then return nil end
  -- As JSON.stringify writes it, unless a name needs escapes: quotes inside of other texts are escaped, so they do not fit.
  local plan, part = string.match(meta, '"plan":"([^"\\]*)\\u001f([^"\\]*)"')
  if plan then return plan, part end
  local of = readMeta(meta)
  local ref = of and of.plan
  if type(ref) ~= 'string' then return nil end
  local at = string.find(ref, '\31', 1, true) or #ref + 1
  return sub(ref, 1, at - 1), sub(ref, at + 1)
end

-- The last of a job's errors, as JSON.
local function lastError(id)
  return call('LRANGE', base .. 'errors:' .. id, -1, -1)[1]
end

-- The one way in which a job that has just ended, or goes without having ended, reports.
local function reportEnd(job)
  local plan, part = planRefIn(job.meta)
  if not plan then return end
  local isCompleted = job.state == COMPLETED
  addReport(plan, { as = part, job = job.id, state = job.state >= COMPLETED and job.state or CANCELLED, attempt = job.attempt,
    startedAt = job.startedAt, result = isCompleted and job.result or nil,
    error = not isCompleted and job.trail and lastError(job.id) or nil })
end
