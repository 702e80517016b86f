#!lua flags=allow-oom
-- What the settle rule must know of the jobs whose lease has ended. Leases that are damaged or gone are mended before, and
-- such as hold nothing any more go.
-- ARGV[4] at most so many batches
-- Answers  a list: of each job what crew's `subjects` says; ids of jobs that were set aside since the last time
-- Needs: strays
mendLeases()
local lapsed = call('ZRANGEBYSCORE', base .. 'expiry', '-inf', text(now), 'LIMIT', 0, ARGV[4])
local found = {}
for _, number in ipairs(lapsed) do
  if not readBatch(number) then leaseAgain(number, '', now) end
  local jobs, batch = heldBy({ number }), readBatch(number)
  for _, job in ipairs(jobs) do found[#found + 1] = job end
  if #jobs == 0 then dropBatch(number, batch and batch.workerId or '') end
end
table.sort(found, function(one, other) return one.seq < other.seq end)
local aside = call('LRANGE', base .. 'asideEnds', 0, -1)
if #aside > 0 then call('UNLINK', base .. 'asideEnds') end
return reply(subjects(found), aside)
