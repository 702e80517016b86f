#!lua flags=no-writes
-- Jobs by descending seq. A call looks at a bounded number of jobs, and may find none although there are more.
-- ARGV[4] seq the jobs must be below; '' for the newest; [5] states, as digits; [6] queue, '' for any; [7] task, '' for
--         any; [8] at most so many; [9] correlation id and [10] tag, '' for any; [11] the bytes of the job whose id [9] is
-- Answers  seq to go on below, -1 at the end; a list: of each job what look's `shown` says; how many there are at most
-- Needs: walk, look, terms
local SPARSE_JOBS, SPARSE_ENTRIES = 1000, 3000
local queue, task = nil, nil
if ARGV[6] ~= '' then
  queue = numberOf('queue', ARGV[6])
  if not queue then return reply(-1, {}, 0) end
end
if ARGV[7] ~= '' then
  task = numberOf('task', ARGV[7])
  if not task then return reply(-1, {}, 0) end
end
local most, found, states, bound = tonumber(ARGV[8]), {}, ARGV[5], tonumber(ARGV[4]) or endOfLine()

-- How many there are in these states, in this queue or in all, and where.
local total, places = 0, {}
for index, value in ipairs(call('HGETALL', base .. 'counts')) do
  if index % 2 == 1 then
    local field = numberIn(value, 0)
    local ofQueue, state = floor(field / 8), field % 8
    if (not queue or ofQueue == queue) and string.find(states, tostring(state), 1, true) then
      places[#places + 1] = { queue = ofQueue, state = state }
    end
  end
end
for _, place in ipairs(places) do total = total + counted(place.queue, place.state) end
if total == 0 then return reply(-1, {}, 0) end

local function isWanted(record)
  local form = formOf(record)
  if not string.find(states, tostring(form.state), 1, true) then return false end
  return (not queue or form.queue == queue) and (not task or form.task == task) and seqOf(record) < bound
end

-- Jobs by the entries of their terms, which stand in the order of seq.
local TERMS_AT_ONCE = 1000
local correlationId, tag = ARGV[9] ~= '' and ARGV[9] or nil, ARGV[10] ~= '' and ARGV[10] or nil
if correlationId or tag then
  local prefix = (correlationId and 'c:' .. correlationId or 't:' .. tag) .. '\31'
  bound = math.min(bound, 281474976710655)
  local members = call('ZREVRANGEBYLEX', termsKey, '(' .. prefix .. pack('>I6', bound), '[' .. prefix, 'LIMIT', 0, TERMS_AT_ONCE)
  local candidates, isLast, after = {}, #members < TERMS_AT_ONCE, -1
  for index, member in ipairs(members) do
    after = unpackStruct('>I6', member, #prefix + 1)
    candidates[index] = { id = sub(member, #prefix + 7), seq = after }
  end
  local root = correlationId and readable(ARGV[11], call('HGET', jobsKey, ARGV[11]))
  if root and (isLast or seqOf(root) >= after) then candidates[#candidates + 1] = { id = ARGV[11], seq = seqOf(root), isRoot = true } end
  table.sort(candidates, function(one, other) return one.seq > other.seq end)
  for _, one in ipairs(candidates) do
    if #found >= most then return reply(bound, found, total) end
    local record = one.seq < bound and readable(one.id, call('HGET', jobsKey, one.id))
    if record and seqOf(record) == one.seq and isWanted(record) and hasTerms(decode(one.id, record), correlationId, tag, one.isRoot) then
      found[#found + 1] = shown(one.id, record)
    end
    if one.seq < bound then bound = one.seq end
  end
  return reply(isLast and -1 or bound, found, total)
end

-- Ids of all jobs in states that are kept by their end; nil where there are other states, or too much to read.
local function endedIds()
  local ids, bytes = {}, 0
  for _, place in ipairs(places) do
    bytes = bytes + numberIn(call('HGET', base .. 'bytes', text(place.queue * 8 + place.state)), 0)
    local of = place.queue .. ':' .. place.state
    if not isEnded(place.state) or call('LLEN', base .. 'ended:' .. of) > SPARSE_ENTRIES then return nil end
    for _, entry in ipairs(call('LRANGE', base .. 'ended:' .. of, 0, -1)) do
      if #entry > WHOLE_BYTES then
        ids[#ids + 1] = entry
      else
        for _, id in ipairs(idsOfWhole(place.queue, entry)) do ids[#ids + 1] = id end
        if #ids > SPARSE_ENTRIES then return nil end
      end
    end
    for _, id in ipairs(call('ZRANGE', base .. 'late:' .. of, 0, -1)) do ids[#ids + 1] = id end
    if #ids > SPARSE_ENTRIES or bytes > WALK_BYTES then return nil end
  end
  return ids
end

-- A few dead letters among a million completed jobs are found by their end rather than by their age.
local ids = total <= SPARSE_JOBS and endedIds()
if ids then
  local jobs, seen = {}, {}
  for _, id in ipairs(ids) do
    local record = not seen[id] and readable(id, call('HGET', jobsKey, id))
    seen[id] = true
    if record and isWanted(record) then jobs[#jobs + 1] = { id = id, seq = seqOf(record) } end
  end
  table.sort(jobs, function(one, other) return one.seq > other.seq end)
  for index = 1, math.min(most, #jobs) do
    found[index] = shown(jobs[index].id, call('HGET', jobsKey, jobs[index].id))
  end
  return reply(#jobs > most and jobs[most].seq or -1, found, total)
end

bound = walk(states, bound, -1, function(id, record)
  if #found >= most then return true end
  if isWanted(record) then found[#found + 1] = shown(id, record) end
  return false
end)
return reply(bound or -1, found, total)
