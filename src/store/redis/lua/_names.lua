-- Part: names. Queues and tasks are numbered, so that a record holds numbers: hashes `queues` and `tasks` (name ->
-- number from 1), `queueNames` and `taskNames` (number -> name). Numbers are never given back. Queue 0 is `*`.
-- Needs: begin
local function numberOf(kind, name, make)
  if kind == 'queue' and name == '*' then return 0 end
  local number = call('HGET', base .. kind .. 's', name)
  if number then return tonumber(number) end
  if not make then return nil end
  number = call('HLEN', base .. kind .. 's') + 1
  call('HSET', base .. kind .. 's', name, number)
  call('HSET', base .. kind .. 'Names', number, name)
  return number
end

local names = { queue = { [0] = '*' }, task = {} }
local function nameOf(kind, number)
  local name = names[kind][number]
  if not name then
    name = call('HGET', base .. kind .. 'Names', number)
    names[kind][number] = name
  end
  return name
end

-- Settings of a queue as configureQueue wrote them (hash `settings`, number -> JSON); nil when nobody configured it.
local settings = {}
local function settingsOf(queue)
  if settings[queue] == nil then
    local json = call('HGET', base .. 'settings', queue)
    settings[queue] = json and cjson.decode(json) or false
  end
  return settings[queue] or nil
end

-- A value of decoded JSON, nil for null.
local function given(value)
  if value == cjson.null then return nil end
  return value
end

local function isPaused(queue)
  local of = settingsOf(queue)
  return of ~= nil and given(of.pausedAt) ~= nil
end

local function limitsOf(queue)
  local of = settingsOf(queue)
  return of and given(of.limits)
end
