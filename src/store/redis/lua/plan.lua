#!lua flags=no-writes
-- A plan.
-- ARGV[4] key; [5] 1 for all its kept texts; [6]... names of those that are wanted
-- Answers its record, empty where there is none; names and texts by turns
-- Needs: plans
local plan = readPlan(ARGV[4])
if not plan then return reply('', {}) end
local key, kept = base .. 'planTexts:' .. ARGV[4], {}
if ARGV[5] == '1' then kept = call('HGETALL', key) end
for index = 6, #ARGV do
  local found = call('HGET', key, ARGV[index])
  if found then kept[#kept + 1], kept[#kept + 2] = ARGV[index], found end
end
return reply(plan.bytes, kept)
