#!lua flags=no-writes
-- What the settle rule must know of the jobs a worker holds.
-- ARGV[4] id of the worker; then nothing more: all of them; or [5] a time, [6]... ids: those of them that it claimed before it
-- Answers  a list: of each job what crew's `subjects` says
-- Needs: crew
local workerId, before = ARGV[4], tonumber(ARGV[5])
if not before then return reply(subjects(heldBy(batchesOf(workerId)))) end

local function isHeld(job)
  if not job or job.state ~= RUNNING or job.startedAt >= before then return false end
  local batch = readBatch(text(job.batch))
  return batch and batch.workerId == workerId
end

local held = {}
for at = 6, #ARGV do
  local job = load(ARGV[at])
  if isHeld(job) then held[#held + 1] = job end
end
return reply(subjects(held))
