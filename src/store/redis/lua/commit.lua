#!lua
-- Units, each whole or not at all. Without allow-oom, as enqueue. All of a unit is read, and what it depends on looked at,
-- before any of it is written: a script is not undone.
-- ARGV[4]  shapes of the jobs, as part add reads them
-- ARGV[5], [7]...  a unit: whether it has an outcome B, and that as part change reads it; how many plans I4, of each: key, version d,
--                  record from wakeAt on (none for one that goes), how many reports it took in I4, their numbers d, how many
--                  kept texts I4, of each name and text; how many reports I4, of each: plan, state B, part, result, error; all as texts
-- ARGV[6], [8]...  its jobs, as part add reads them
-- Reply    states of the shapes; then of each unit: 0 committed, 1 lost, 2 conflict; the state its outcome led to, -1 for none; what
--          was not simply created; of each report a byte, whether its plan exists
-- Needs: change, add
local IS_COMMITTED, IS_LOST, IS_CONFLICT = 0, 1, 2

local function readList(read, readOne)
  local list = {}
  for index = 1, read.number('<I4') do list[index] = readOne() end
  return list
end

local function readUnit(bytes)
  local read = reader(bytes)
  local unit = { hasOutcome = read.number('B') == 1 }
  if unit.hasOutcome then unit.id, unit.item = readOutcome(read) end
  unit.plans = readList(read, function()
    local change = { key = read.text(), version = read.number('<d'), body = read.text() }
    change.taken = readList(read, function() return read.number('<d') end)
    change.keep = readList(read, function() return { read.text(), read.text() or false } end)
    return change
  end)
  unit.reports = readList(read, function()
    return { plan = read.text(), state = read.number('B'), attempt = 0, as = read.text(), result = read.text(), error = read.text() }
  end)
  return unit
end

local function isAt(change)
  change.before = planToWrite(change.key)
  return (change.before and change.before.version or 0) == change.version
end

-- `before` is what it was; an index has only plans with a time.
local function changeIndex(index, key, before, at)
  if at == at or not before or before == before then setIndex(index, key, at) end
end

-- Numbers mostly follow each other without a gap: such are one range.
local function dropReports(key, taken)
  local first = 1
  for index, no in ipairs(taken) do
    if taken[index + 1] ~= no + 1 then
      call('ZREMRANGEBYSCORE', reportsKey(key), text(taken[first]), text(no))
      first = index + 1
    end
  end
end

local function writePlan(change)
  local key, before = change.key, change.before
  hint('plan')
  if not change.body then return removePlan(key, before and before.kind) end
  local wakeAt, expiresAt, kind = unpackStruct('<ddI4c0', change.body)
  local seq, createdAt = before and before.seq or nextOf('planNo'), before and before.createdAt or now
  if not before then call('UNLINK', base .. 'planTexts:' .. key, reportsKey(key)) end
  if before and before.kind ~= kind then call('ZREM', base .. 'planSeqs:' .. before.kind, key) end
  if not before or before.kind ~= kind then call('ZADD', base .. 'planSeqs:' .. kind, text(seq), key) end
  call('HSET', plansKey, key, pack('<I6I6I7I7', seq, change.version + 1, createdAt, now) .. change.body)
  changeIndex(wakesKey, key, before and before.wakeAt, wakeAt)
  changeIndex(expiresKey, key, before and before.expiresAt, expiresAt)
  if not before or #change.taken > 0 then
    dropReports(key, change.taken)
    indexReports(key)
  end
  for _, kept in ipairs(change.keep) do
    if kept[2] then call('HSET', base .. 'planTexts:' .. key, kept[1], kept[2])
    else call('HDEL', base .. 'planTexts:' .. key, kept[1]) end
  end
  if expiresAt == expiresAt then hint('planEnded') end
end

local function commitUnit(unit, shapes, jobs)
  local job, change
  if unit.hasOutcome then
    flush()
    job = load(unit.id)
    change = changeBy(job, unit.item)
    if not change then return { IS_LOST, -1, '', '' } end
  end
  for _, plan in ipairs(unit.plans) do
    if not isAt(plan) then return { IS_CONFLICT, -1, '', '' } end
  end
  if change then applyChange(job, MOVES[unit.item.kind], change) end
  for _, plan in ipairs(unit.plans) do writePlan(plan) end
  local reported = {}
  for index, report in ipairs(unit.reports) do
    reported[index] = string.char(addReport(report.plan, report) and 1 or 0)
  end
  return { IS_COMMITTED, change and change.state or -1, addJobs(shapes, jobs, true), table.concat(reported) }
end

local shapes, states = readShapes(ARGV[4])
local answers = {}
for index = 5, #ARGV, 2 do
  answers[#answers + 1] = commitUnit(readUnit(ARGV[index]), shapes, ARGV[index + 1])
end
flush()
return reply(states, answers)
