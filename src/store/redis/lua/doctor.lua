#!lua flags=no-writes
-- What can be said of the store as a whole: whether what it keeps of all jobs together agrees with itself.
-- Answers  a list of faults, each a kind and what is concerned: see doctor-store.ts; numbers of the chunks there are; what was set
--          aside (at most 20), and how many that are
-- Needs: counts, leases, rates
local faults = {}
local function fault(kind, what)
  faults[#faults + 1] = { kind, what }
end

-- Sums of a hash of numbers by field % 8, in all and by floor(field / 8).
local function sums(key)
  local byState, byOwner = {}, {}
  local found = call('HGETALL', base .. key)
  for index = 1, #found, 2 do
    local field, jobs = tonumber(found[index]), tonumber(found[index + 1])
    if not field or not jobs or jobs < 0 then
      fault('counts', key .. ' has ' .. found[index] .. ' -> ' .. found[index + 1])
    else
      byState[field % 8] = (byState[field % 8] or 0) + jobs
      byOwner[field] = jobs
    end
  end
  return byState, byOwner
end

local function areNamesWhole(kind)
  local byName, byNumber = call('HGETALL', base .. kind .. 's'), call('HGETALL', base .. kind .. 'Names')
  if #byName ~= #byNumber then return false end
  for index = 1, #byNumber, 2 do
    if call('HGET', base .. kind .. 's', byNumber[index + 1]) ~= byNumber[index] then return false end
  end
  return true
end

local counts, countOf = sums('counts')
local places, placeOf = sums('places')
local total = 0
for state = SCHEDULED, CANCELLED do
  total = total + (places[state] or 0)
  if (counts[state] or 0) ~= (places[state] or 0) then
    fault('counts', 'queues count ' .. (counts[state] or 0) .. ' jobs in state ' .. state .. ', places ' .. (places[state] or 0))
  end
end
if call('HLEN', jobsKey) ~= total then fault('counts', call('HLEN', jobsKey) .. ' jobs, of which ' .. total .. ' are counted') end
if total > 0 and not tonumber(call('GET', base .. 'seq') or '') then fault('counts', 'the last number of a job is lost') end
for _, kind in ipairs({ 'queue', 'task' }) do
  if not areNamesWhole(kind) then fault('names', kind) end
end

local live, batches = {}, call('HKEYS', base .. 'batches')
for _, number in ipairs(batches) do
  local batch, jobs = readBatch(number), tonumber(call('HGET', base .. 'live', number) or '')
  if not batch or not jobs or not call('ZSCORE', base .. 'expiry', number) then fault('leases', number)
  else live[batch.queue] = (live[batch.queue] or 0) + jobs end
end
if call('HLEN', base .. 'live') ~= #batches or call('ZCARD', base .. 'expiry') ~= #batches then fault('leases', '') end

local function entriesOf(queue)
  local entries = call('ZCARD', base .. 'back:' .. queue)
  for _, priority in ipairs(call('ZRANGE', base .. 'priorities:' .. queue, 0, -1)) do
    entries = entries + call('LLEN', base .. 'line:' .. queue .. ':' .. priority)
  end
  for _, key in ipairs(call('SMEMBERS', base .. 'keys:' .. queue)) do
    entries = entries + call('ZCARD', base .. 'held:' .. queue .. ':' .. key)
    call('SCARD', base .. 'turn:' .. queue .. ':' .. key)
  end
  return entries
end

local queues = {}
for field in pairs(countOf) do queues[floor(field / 8)] = true end
for queue in pairs(queues) do
  local function jobsIn(state) return countOf[queue * 8 + state] or 0 end
  if (live[queue] or 0) ~= jobsIn(RUNNING) then fault('leases', '') end
  if call('ZCARD', base .. 'due:' .. queue) ~= jobsIn(SCHEDULED) then fault('lines', queue) end
  if entriesOf(queue) < jobsIn(READY) then fault('lines', queue) end
  for _, name in ipairs({ 'wholeAt:', 'wholeIds:', 'wholeResults:', 'used:' }) do call('HLEN', base .. name .. queue) end
  for _, key in ipairs(call('HKEYS', base .. 'used:' .. queue)) do call('ZCARD', startsKey(queue, key)) end
  for state = COMPLETED, CANCELLED do
    local of = queue .. ':' .. state
    call('HLEN', base .. 'left:' .. of)
    local listed = call('LLEN', base .. 'ended:' .. of) + call('ZCARD', base .. 'late:' .. of)
    if listed == 0 and jobsIn(state) > 0 or not call('HGET', base .. 'endedAt', queue * 8 + state) and jobsIn(state) > 0 then
      fault('lines', queue)
    end
  end
end

local settled = call('HKEYS', base .. 'settings')
for _, queue in ipairs(settled) do
  local of = settingsOf(numberIn(queue, 0))
  if of and of.isDamaged then fault('settings', nameOf('queue', numberIn(queue, 0))) end
end
local workers = call('HGETALL', base .. 'workers')
for index = 1, #workers, 2 do
  local isJson, said = pcall(cjson.decode, sub(workers[index + 1], 15))
  if not isJson or type(said) ~= 'table' then fault('registry', workers[index]) end
  call('SCARD', base .. 'holds:' .. workers[index])
end
for _, key in ipairs({ 'planNo', 'reportNo' }) do call('GET', base .. key) end
for _, key in ipairs({ 'unique', 'locks', 'ageing', 'scans', 'intact', 'bytes' }) do call('HLEN', base .. key) end
if #batches > 0 and not tonumber(call('GET', base .. 'batch') or '') then fault('leases', 'the last number of a lease is lost') end

local chunks, seen = {}, {}
for field in pairs(placeOf) do
  local chunk = floor(field / 8)
  if not seen[chunk] then
    seen[chunk] = true
    chunks[#chunks + 1] = chunk
  end
end
table.sort(chunks)
local aside, shown = call('HKEYS', base .. 'aside'), {}
for index = 1, math.min(20, #aside) do shown[index] = aside[index] end
return reply(faults, chunks, shown, #aside)
