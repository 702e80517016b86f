#!lua flags=allow-oom
-- Marks a worker alive and renews its leases.
-- ARGV[4] id of the worker; [5] JSON of what it says of itself; [6] leaseMs; [7]... its queues
-- Answers  ids of the jobs it holds; ids of those whose cancellation was asked for; those of its queues that are paused
-- Needs: crew, names, strays
local workerId, expiresAt = ARGV[4], wholeMs(now + ARGV[6])
call('HSET', base .. 'workers', workerId, pack('<I7I7', now, wholeMs(ARGV[6])) .. ARGV[5])
local batches = batchesOf(workerId)
for _, batch in ipairs(batches) do
  if not renewBatch(batch, expiresAt) then leaseAgain(batch, workerId, expiresAt) end
end
local held, cancelled, changed = {}, {}, {}
-- To read a record takes as long as its payloads are large. An intact batch holds all its jobs, and none is to be cancelled.
for _, number in ipairs(batches) do
  local batch = call('HEXISTS', base .. 'intact', number) == 1 and readBatch(number)
  if batch then
    for _, id in ipairs(idsIn(batch)) do held[#held + 1] = id end
  else changed[#changed + 1] = number end
end
for _, job in ipairs(heldBy(changed)) do
  held[#held + 1] = job.id
  if job.cancel then cancelled[#cancelled + 1] = job.id end
end
local paused, all = {}, isPaused(0)
for at = 7, #ARGV do
  local queue = numberOf('queue', ARGV[at])
  if all or queue and isPaused(queue) then paused[#paused + 1] = ARGV[at] end
end
return reply(held, cancelled, paused)
