#!lua flags=no-writes
-- Whether plans can be read, and are listed where they should be.
-- ARGV[4] what lists plans; [5] where to begin in it, 0 at first
-- Answers  where the next call begins, 0 at the end; plans looked at; a list of faults as in doctor.lua
-- Needs: planlook
local faults, looked = {}, 0
local cursor = stepOver(base .. ARGV[4], ARGV[5], function(key)
  looked = looked + 1
  if not isPlanWhole(key) then faults[#faults + 1] = { 'plans', key } end
end)
return reply(cursor, looked, faults)
