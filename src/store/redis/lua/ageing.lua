#!lua flags=no-writes
-- The queues with ageing.
-- Answers  a list: of each its number, its settings (JSON), where its sweep stands (see sweep)
-- Needs: begin
local answers, found = {}, call('HGETALL', base .. 'ageing')
for index = 1, #found, 2 do
  local queue = numberIn(found[index], 0)
  answers[#answers + 1] = { queue, call('HGET', base .. 'settings', found[index]) or '', found[index + 1] }
end
return reply(answers)
