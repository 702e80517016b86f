#!lua flags=allow-oom
-- Writes a queue's settings, if they are still what the caller has read, and all that follows from them.
-- ARGV[4] queue; [5] JSON as it was read, '' for none; [6] JSON to be; [7] ageing to be (see sweep), '' as it is, - for
--         none; [8] 1 when the limits are others; [9] hints: c control, r ready
-- Answers  1, or 0 when somebody else was faster
-- Needs: turns, rates
local queue = numberOf('queue', ARGV[4], true)
if (call('HGET', base .. 'settings', queue) or '') ~= ARGV[5] then return reply(0) end
local before = settingsOf(queue)
if before and before.isDamaged then keepAside('settings ' .. ARGV[4], ARGV[5]) end
call('HSET', base .. 'settings', queue, ARGV[6])
if ARGV[7] == '-' then call('HDEL', base .. 'ageing', queue)
elseif ARGV[7] ~= '' then call('HSET', base .. 'ageing', queue, ARGV[7]) end
if ARGV[8] == '1' then
  setLimits(queue)
  local limits = limitsOf(queue)
  if not limits or not given(limits.rate) then forgetStarts(queue, false) end
  if not limits or not given(limits.perKey.rate) then forgetStarts(queue, true) end
end
if string.find(ARGV[9], 'c', 1, true) then hint('control') end
if string.find(ARGV[9], 'r', 1, true) then hint('ready') end
return reply(1)
