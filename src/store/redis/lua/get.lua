#!lua flags=no-writes
-- Single jobs.
-- ARGV[4]... ids
-- Answers    a list: of each job what look's `shown` says, or an empty list where there is none; of the first jobs alone where all
--            of them are more than BYTES_MOST together
-- Needs: look
local BYTES_MOST = 4194304
local answers, bytes = {}, 0
for index = 4, #ARGV do
  local record = call('HGET', jobsKey, ARGV[index])
  answers[#answers + 1] = record and shown(ARGV[index], record) or {}
  bytes = bytes + (record and #record or 0)
  if bytes >= BYTES_MOST then break end
end
return reply(answers)
