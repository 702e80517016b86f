#!lua flags=no-writes
-- Plans that wait to be decided on, those that wait longest first; or some by their keys.
-- ARGV[4] at most so many; [5] reports count from this age on, in ms; '' for the plans of [8]...; [6] reports of a plan at most;
--         [7] bytes of results of all plans, apart from a first report of each; [8]... keys
-- Answers  of each plan its key, its record, its reports, and 1 where there are more; the next wakeAt as text, '' for none
-- Needs: plans
local most, reportsMost, room = tonumber(ARGV[4]), tonumber(ARGV[6]), tonumber(ARGV[7])
local REPORTS_AT_ONCE, KEYS_AT_ONCE = 16, 1000

local function dueKeys()
  local since, keys = {}, {}
  local function look(index, latest)
    local found = call('ZRANGEBYSCORE', index, '-inf', text(latest), 'WITHSCORES', 'LIMIT', 0, most)
    for at = 1, #found, 2 do
      local key, score = found[at], numberIn(found[at + 1], 0)
      if not since[key] then keys[#keys + 1] = key end
      since[key] = math.min(since[key] or score, score)
    end
  end
  look(wakesKey, now)
  look(tellersKey, now - wholeMs(ARGV[5]))
  table.sort(keys, function(one, other)
    if since[one] ~= since[other] then return since[one] < since[other] end
    return one < other
  end)
  return keys
end

local function reportsOf(key)
  local reports, from = {}, 0
  while true do
    local found = call('ZRANGE', reportsKey(key), from, from + REPORTS_AT_ONCE - 1)
    for _, report in ipairs(found) do
      local bytes = resultBytes(report)
      if bytes then
        if #reports == reportsMost then return reports, 1 end
        room = room - bytes
        if #reports > 0 and room < 0 then return reports, 1 end
        reports[#reports + 1] = report
      end
    end
    if #found < REPORTS_AT_ONCE then return reports, 0 end
    from = from + REPORTS_AT_ONCE
  end
end

local answers = {}
local function answer(key, bytes)
  local plan = #answers < most and readPlan(key, bytes)
  if not plan then return end
  local reports, more = reportsOf(key)
  answers[#answers + 1] = { key, plan.bytes, reports, more }
end

if ARGV[5] == '' then
  for from = 8, #ARGV, KEYS_AT_ONCE do
    local to = math.min(from + KEYS_AT_ONCE - 1, #ARGV)
    for index, bytes in ipairs(call('HMGET', plansKey, unpack(ARGV, from, to))) do
      if bytes then answer(ARGV[from + index - 1], bytes) end
    end
  end
  return reply(answers, '')
end
for _, key in ipairs(dueKeys()) do answer(key) end
local ahead = call('ZRANGEBYSCORE', wakesKey, '(' .. text(now), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
return reply(answers, ahead or '')
