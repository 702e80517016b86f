#!lua flags=no-writes
-- What the settle rule must know of the jobs a worker holds.
-- ARGV[4] id of the worker
-- Answers  a list: of each job what crew's `subjects` says
-- Needs: crew
return reply(subjects(heldBy(batchesOf(ARGV[4]))))
