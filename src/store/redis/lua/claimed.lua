#!lua flags=no-writes
-- What the settle rule must know of the jobs that one claim got.
-- ARGV[4] id of the worker; [5] id of the claim
-- Reply   a list: of each job what crew's `subjects` says
-- Needs: crew
local batches = {}
for _, number in ipairs(batchesOf(ARGV[4])) do
  local batch = readBatch(number)
  if batch and batch.claimId == ARGV[5] then batches[#batches + 1] = number end
end
return reply(subjects(heldBy(batches)))
