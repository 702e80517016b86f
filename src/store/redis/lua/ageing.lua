#!lua flags=no-writes
-- The queues with ageing.
-- Answers  a list: of each its number, its settings (JSON), where its sweep stands (see sweep)
-- Needs: begin
local answers, found = {}, call('HGETALL', base .. 'ageing')
for index = 1, #found, 2 do
  answers[#answers + 1] = { tonumber(found[index]), call('HGET', base .. 'settings', found[index]), found[index + 1] }
end
return reply(answers)
