#!lua flags=no-writes
-- The trail of one job: lists `errors:<id>`, `logs:<id>`, `trail:<id>`, as _jobs.lua keeps them.
-- ARGV[4] id
-- Answers  1 and the errors, the log lines and the audit entries; 0 when there is no such job
-- Needs: begin
if call('HEXISTS', jobsKey, ARGV[4]) == 0 then return reply(0) end
local function all(list) return call('LRANGE', base .. list .. ARGV[4], 0, -1) end
return reply(1, all('errors:'), all('logs:'), all('trail:'))
