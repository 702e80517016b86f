#!lua flags=no-writes
-- Names of queues or tasks.
-- ARGV[4] queue or task; [5]... numbers
-- Answers  a list of names, '' where one is lost
-- Needs: names
local found = {}
for index = 5, #ARGV do found[#found + 1] = nameOf(ARGV[4], tonumber(ARGV[index])) end
return reply(found)
