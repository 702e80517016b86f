#!lua flags=no-writes
-- The settings of one queue.
-- ARGV[4] queue
-- Answers  JSON, or '' when nobody configured it
-- Needs: names
local queue = numberOf('queue', ARGV[4])
return reply(queue and call('HGET', base .. 'settings', queue) or '')
