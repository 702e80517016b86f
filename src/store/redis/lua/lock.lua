#!lua flags=allow-oom
-- Named locks that expire (store/lease-lock.ts). Hash `locks`: name -> until I7, holder.
-- ARGV[4] acquire or release; [5] name; [6] holder; [7] for how many ms
-- Answers  1 when the holder has it (acquire), or had it (release), else 0
-- Needs: begin
local verb, name, holder = ARGV[4], ARGV[5], ARGV[6]
local locks = base .. 'locks'
local value = call('HGET', locks, name)
if value and #value < 7 then value = nil end
local heldBy = value and sub(value, 8)
if verb == 'release' then
  if heldBy ~= holder then return reply(0) end
  call('HDEL', locks, name)
  return reply(1)
end
if value and heldBy ~= holder and unpackStruct('<I7', value) > now then return reply(0) end
call('HSET', locks, name, pack('<I7', wholeMs(now + ARGV[7])) .. holder)
return reply(1)
