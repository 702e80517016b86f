#!lua flags=no-writes
-- The registry of workers.
-- Answers  a list: of each worker its id, its record (see crew), how many jobs it holds
-- Needs: crew
local answers = {}
local found = call('HGETALL', base .. 'workers')
for index = 1, #found, 2 do
  local running = 0
  for _, batch in ipairs(batchesOf(found[index])) do
    running = running + numberIn(call('HGET', base .. 'live', batch), 0)
  end
  answers[#answers + 1] = { found[index], found[index + 1], running }
end
return reply(answers)
