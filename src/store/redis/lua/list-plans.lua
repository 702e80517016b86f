#!lua flags=no-writes
-- Plans of a kind by descending seq. A call looks at a bounded number, and may find none although there are more.
-- ARGV[4] kind; [5] seq they must be below, '' for the newest; [6] at most so many; [7] label after `=`, '' for any; [8] how many states
--         are wanted, '' for any; [9]... those
-- Answers  seq to go on below, -1 at the end; of each plan its key and its record
-- Needs: plans
local most, found, states = tonumber(ARGV[6]), {}, ARGV[8] ~= '' and {} or nil
for index = 9, #ARGV do states[ARGV[index]] = true end
local PLANS_AT_ONCE, PLANS_LOOKED, BYTES_LOOKED = 50, 1000, 4194304

local function isWanted(plan)
  return (ARGV[7] == '' or '=' .. plan.label == ARGV[7]) and (not states or states[plan.state])
end

local bound, looked, bytes = ARGV[5] == '' and '+inf' or '(' .. ARGV[5], 0, 0
while true do
  local keys = call('ZREVRANGEBYSCORE', base .. 'planSeqs:' .. ARGV[4], bound, '-inf', 'WITHSCORES', 'LIMIT', 0, PLANS_AT_ONCE)
  for index = 1, #keys, 2 do
    local plan = readPlan(keys[index])
    bound, looked = '(' .. keys[index + 1], looked + 1
    if plan then
      bytes = bytes + #plan.bytes
      if isWanted(plan) then found[#found + 1] = { plan.key, plan.bytes } end
    end
    if #found == most or looked == PLANS_LOOKED or bytes >= BYTES_LOOKED then return reply(keys[index + 1], found) end
  end
  if #keys < 2 * PLANS_AT_ONCE then return reply('-1', found) end
end
