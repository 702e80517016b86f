-- Part: line. The first jobs of a queue: by priority, then place, out of the lists of those that were never elsewhere and
-- of `back`. An entry of a list that does not count any more is dropped on the way; how many are looked at is bounded.
-- Needs: turns

-- Whether a list's entry counts: its job is in its turn, never held, and still of this queue and priority.
local function countsIn(record, form, queue, priority)
  return form.isInLine and form.queue == queue and priorityOf(record, form) == priority
end

local function recordsOf(ids)
  if #ids == 0 then return {} end
  return call('HMGET', jobsKey, unpack(ids))
end

-- The lowest priority that has a list, and its key. What is no number goes.
local function firstList(queue)
  local priority = call('ZRANGE', base .. 'priorities:' .. queue, 0, 0)[1]
  while priority and text(numberIn(priority, 0)) ~= priority do
    call('ZREM', base .. 'priorities:' .. queue, priority)
    priority = call('ZRANGE', base .. 'priorities:' .. queue, 0, 0)[1]
  end
  if not priority then return nil end
  return tonumber(priority), base .. 'line:' .. queue .. ':' .. priority
end

local function dropList(queue, priority)
  call('ZREM', base .. 'priorities:' .. queue, priority)
end

local function backEntry(member)
  local priority, place = unpackStruct('>I4I6', member)
  return { id = sub(member, 11), priority = priority - 2147483648, place = place, member = member }
end

-- A member that is too short names no job, and goes.
local function backEntries(queue, most)
  local entries = {}
  for _, member in ipairs(call('ZRANGE', base .. 'back:' .. queue, 0, most - 1)) do
    if #member > 10 then entries[#entries + 1] = backEntry(member)
    else call('ZREM', base .. 'back:' .. queue, member) end
  end
  return entries
end

-- The form of a listed record; nil for a job that is gone or was set aside.
local function formIn(queue, id, record)
  if not record then return nil end
  if isSound(record) then return formOf(record) end
  setAside(id, { queue = queue, state = READY })
end

-- The same for an entry of `back`, which has nobody who is not ready.
local function formInBack(queue, id, record)
  local form = formIn(queue, id, record)
  if form and form.state == READY and form.turn == LINE and form.queue == queue then return form end
  if not record then countDelta[queue * 8 + READY] = (countDelta[queue * 8 + READY] or 0) - 1 end
end

local function idsOf(entries)
  local ids = {}
  for index, entry in ipairs(entries) do ids[index] = entry.id end
  return ids
end

-- Takes jobs off the front of the line and hands each to `take(id, record, form)`, which must lease it (true) or put it
-- off. Ends when `want` jobs were leased or the line is empty; returns false when it looked at `budget` entries before.
-- `takePlain(ids, records, most, priority)`, where given, leases as many as it can of those that a list begins with, and says
-- how many; it is asked for as long as it takes all.
local function walkLine(queue, want, budget, take, takePlain)
  local seen, looked, most, members = {}, 0, want, {}
  local plain = {}
  local function hand(id, record, form, member)
    members[#members + 1] = member
    if seen[id] or not form then return end
    seen[id] = true
    if take(id, record, form) then want = want - 1 end
  end
  local function see()
    for _, of in ipairs(plain) do
      for index = 1, of[2] do seen[of[1][index]] = true end
    end
    plain = {}
  end
  while want > 0 do
    if looked >= budget then return false end
    most = math.min(most, 1000)
    local priority, list = firstList(queue)
    local back = backEntries(queue, most)
    if back[1] and (not priority or back[1].priority < priority) then
      takePlain = nil
      see()
      local records = recordsOf(idsOf(back))
      for index, entry in ipairs(back) do
        if want == 0 or priority and entry.priority >= priority then break end
        hand(entry.id, records[index], formInBack(queue, entry.id, records[index]), entry.member)
        looked = looked + 1
      end
    elseif priority then
      local ids = call('LRANGE', list, 0, most - 1)
      if #ids == 0 then dropList(queue, priority) end
      local listed, returned = recordsOf(ids), nil
      local from, last, backFrom = 1, #ids, 1
      if takePlain and #back == 0 and last > 0 then
        local asked = math.min(last, want)
        local taken = takePlain(ids, listed, asked, priority)
        from, looked, want = taken + 1, looked + taken, want - taken
        plain[#plain + 1] = { ids, taken }
        if taken < asked then takePlain = nil end
      elseif last > 0 then
        takePlain = nil
      end
      if not takePlain then see() end
      while want > 0 and from <= last do
        local id, record, entry = ids[from], listed[from], back[backFrom]
        local form = formIn(queue, id, record)
        looked = looked + 1
        if not form or seen[id] or not countsIn(record, form, queue, priority) then
          from = from + 1
        elseif entry and entry.priority == priority and entry.place < seqOf(record) then
          returned = returned or recordsOf(idsOf(back))
          hand(entry.id, returned[backFrom], formInBack(queue, entry.id, returned[backFrom]), entry.member)
          backFrom = backFrom + 1
        elseif not entry and backFrom > 1 and #back == most then
          -- There may be more in `back` that comes first.
          break
        else
          hand(id, record, form, has(form.flags, APART) > 0 and backMember(decode(id, record)) or nil)
          from = from + 1
        end
      end
      if from > 1 then call('LTRIM', list, from - 1, -1) end
    else
      return true
    end
    if #members > 0 then callMany('ZREM', base .. 'back:' .. queue, members) end
    members, most = {}, most * 2
  end
  return true
end

-- Whether somebody is ready in the line; entries that do not count are dropped, at most `budget` of them.
local function isLine(queue, budget)
  if call('EXISTS', base .. 'back:' .. queue) == 1 then return true end
  for _ = 1, budget, 100 do
    local priority, list = firstList(queue)
    if not priority then return false end
    local ids = call('LRANGE', list, 0, 99)
    for index, record in ipairs(recordsOf(ids)) do
      local form = formIn(queue, ids[index], record)
      if form and countsIn(record, form, queue, priority) then return true end
    end
    if #ids == 0 then dropList(queue, priority) else call('LTRIM', list, #ids, -1) end
  end
  return true
end
