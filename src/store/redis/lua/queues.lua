#!lua flags=no-writes
-- All queues.
-- Answers  lists of fields and values: numbers and names; numbers and settings (JSON);
--          counts (see counts)
-- Needs: begin
return reply(
  call('HGETALL', base .. 'queueNames'),
  call('HGETALL', base .. 'settings'),
  call('HGETALL', base .. 'counts')
)
