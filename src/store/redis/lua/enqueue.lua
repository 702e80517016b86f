#!lua
-- Jobs in. Without allow-oom: when memory is full this is refused before it begins, and nothing is written.
-- ARGV[4]  shapes of the jobs, as part add reads them
-- ARGV[5]  jobs, likewise
-- Reply    states of the shapes, a byte each; then what was not simply created, as part add says it
-- Needs: add
local shapes, states = readShapes(ARGV[4])
return reply(states, addJobs(shapes, ARGV[5]))
