#!lua flags=no-writes
-- Jobs by descending seq. A call looks at a bounded number of jobs, and may find none although there are more.
-- ARGV[4] seq the jobs must be below; '' for the newest; [5] states, as digits; [6] queue, '' for any; [7] task, '' for
--         any; [8] at most so many
-- Answers  seq to go on below, -1 at the end; a list: of each job what look's `shown` says; how many there are at most in
--          these states, -1 where that is not known
-- Needs: walk, look
local queue, task = nil, nil
if ARGV[6] ~= '' then
  queue = numberOf('queue', ARGV[6])
  if not queue then return reply(-1, {}, 0) end
end
if ARGV[7] ~= '' then
  task = numberOf('task', ARGV[7])
  if not task then return reply(-1, {}, 0) end
end
local most, found, states, total = tonumber(ARGV[8]), {}, ARGV[5], -1
-- Counted for one queue; for all of them, the end tells.
if queue then
  total = 0
  for digit in string.gmatch(states, '%d') do total = total + counted(queue, tonumber(digit)) end
  if total == 0 then return reply(-1, {}, 0) end
end
local bound = walk(states, tonumber(ARGV[4]) or endOfLine(), -1, function(id, record)
  if #found >= most then return true end
  local _, state, _, _, _, ofQueue, ofTask = unpackStruct(HEAD, record)
  if not string.find(states, tostring(state % 16), 1, true) then return false end
  if queue and ofQueue ~= queue or task and ofTask ~= task then return false end
  found[#found + 1] = shown(id, record)
  return false
end)
return reply(bound or -1, found, total)
