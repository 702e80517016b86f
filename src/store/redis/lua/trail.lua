#!lua flags=no-writes
-- The trail of one job: list `trail:<id>`.
-- ARGV[4] id
-- Answers  1 and a list of its entries, each after its kind: e error, l log line, a audit; 0 when there is no such job
-- Needs: begin
if call('HEXISTS', jobsKey, ARGV[4]) == 0 then return reply(0, {}) end
return reply(1, call('LRANGE', base .. 'trail:' .. ARGV[4], 0, -1))
