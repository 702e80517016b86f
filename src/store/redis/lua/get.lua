#!lua flags=no-writes
-- Single jobs.
-- ARGV[4]... ids
-- Answers    a list: of each job what look's `shown` says, or an empty list where there is none
-- Needs: look
local answers = {}
for index = 4, #ARGV do
  local record = call('HGET', jobsKey, ARGV[index])
  answers[#answers + 1] = record and shown(ARGV[index], record) or {}
end
return reply(answers)
