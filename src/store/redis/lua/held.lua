#!lua flags=no-writes
-- What the settle rule must know of the jobs a worker holds, or of those whose lease has ended.
-- ARGV[4] id of the worker; '' for all jobs whose lease ended by now; [5] at most so many batches
-- Answers  a list: of each job what crew's `subjects` says
-- Needs: crew
local batches
if ARGV[4] == '' then batches = call('ZRANGEBYSCORE', base .. 'expiry', '-inf', text(now), 'LIMIT', 0, ARGV[5])
else batches = batchesOf(ARGV[4]) end
return reply(subjects(heldBy(batches)))
