-- Part: names. Queues and tasks are numbered, so that a record holds numbers: hashes `queues` and `tasks` (name ->
-- number from 1), `queueNames` and `taskNames` (number -> name). Numbers are never given back. Queue 0 is `*`.
-- Needs: begin

-- Where numbers by name are gone, or some of them, names by number still say them; those are put back first.
local function newNumber(kind, name)
  local numbers, names = base .. kind .. 's', base .. kind .. 'Names'
  local number = call('HLEN', numbers) + 1
  if number <= call('HLEN', names) then
    local found = call('HGETALL', names)
    for index = 1, #found, 2 do call('HSET', numbers, found[index + 1], found[index]) end
    local known = numberIn(call('HGET', numbers, name), nil)
    if known then return known end
    while call('HEXISTS', names, number) == 1 do number = number + 1 end
  end
  call('HSET', numbers, name, number)
  call('HSET', names, number, name)
  return number
end

local function numberOf(kind, name, make)
  if kind == 'queue' and name == '*' then return 0 end
  local number = numberIn(call('HGET', base .. kind .. 's', name), nil)
  if number then return number end
  if not make then return nil end
  return newNumber(kind, name)
end

-- Where names by number are gone, numbers by name still say them; '' where both are.
local function nameByNumber(kind, number)
  local found = call('HGETALL', base .. kind .. 's')
  for index = 1, #found, 2 do
    if tonumber(found[index + 1]) == number then return found[index] end
  end
  return ''
end

local names = { queue = { [0] = '*' }, task = {} }
local function nameOf(kind, number)
  local name = names[kind][number]
  if not name then
    name = call('HGET', base .. kind .. 'Names', number) or nameByNumber(kind, number)
    names[kind][number] = name
  end
  return name
end

-- A value of decoded JSON, nil for null.
local function given(value)
  if value == cjson.null then return nil end
  return value
end

-- A queue whose settings cannot be read waits until they are written again, since nobody knows what it allows. The settings
-- of all queues say no more than whether they are paused: where those are damaged, they do not stop all.
local function readSettings(queue, json)
  local function isNumber(value) return given(value) == nil or type(value) == 'number' end
  local function isRate(rate)
    return given(rate) == nil or (type(rate) == 'table' and type(rate.count) == 'number' and type(rate.perMs) == 'number')
  end
  local function isLimits(limits)
    if given(limits) == nil then return true end
    local perKey = type(limits) == 'table' and limits.perKey
    return type(perKey) == 'table' and isNumber(limits.concurrency) and isRate(limits.rate) and
      isNumber(perKey.concurrency) and isRate(perKey.rate)
  end
  local function isKeep(keep)
    return type(keep) == 'table' and isNumber(keep.ageMs) and isNumber(keep.count) and isNumber(keep.bytes)
  end
  local function isRetention(retention)
    return type(retention) == 'table' and isKeep(retention.completed) and isKeep(retention.failed) and isKeep(retention.cancelled)
  end
  local isJson, of = pcall(cjson.decode, json)
  if isJson and type(of) == 'table' and isNumber(of.pausedAt) and isLimits(of.limits) and isRetention(of.retention) then return of end
  return { isDamaged = true, pausedAt = queue ~= 0 and 0 or nil }
end

-- Settings of a queue as configureQueue wrote them (hash `settings`, number -> JSON); nil when nobody configured it.
local settings = {}
local function settingsOf(queue)
  if settings[queue] == nil then
    local json = call('HGET', base .. 'settings', queue)
    settings[queue] = json and readSettings(queue, json) or false
  end
  return settings[queue] or nil
end

local function isPaused(queue)
  local of = settingsOf(queue)
  return of ~= nil and given(of.pausedAt) ~= nil
end

local function limitsOf(queue)
  local of = settingsOf(queue)
  return of and given(of.limits)
end
