#!lua flags=allow-oom
-- Goes on with a queue's sweep (core/ageing.ts), by ascending seq, so that no job is met twice. A call looks at a bounded
-- number of jobs. Hash `ageing`: number of the queue -> when the last sweep began, a space, and the seq behind which it
-- goes on, - when it is over.
-- ARGV[4] number of the queue; [5] its value in `ageing` as it was read; [6] when this sweep began; [7] seq to go on behind;
--         [8] everyMs; [9] floor; [10] at most so many jobs
-- Answers  1, or 0 when somebody else was faster; how many jobs got another priority; where to go on, -1 for nowhere
-- Needs: walk, turns
local queue, sweptAt = tonumber(ARGV[4]), tonumber(ARGV[6])
if call('HGET', base .. 'ageing', queue) ~= ARGV[5] then return reply(0, 0, -1) end
local bestDueAt, floorAt, most = sweptAt - ARGV[8], tonumber(ARGV[9]), tonumber(ARGV[10])
local due = {}
local bound = walk(tostring(READY), tonumber(ARGV[7]), 1, function(id, record)
  local form = formOf(record)
  if form.state ~= READY or form.queue ~= queue or priorityOf(record, form) <= floorAt then return false end
  if decode(id, record).dueAt > bestDueAt then return false end
  if #due >= most then return true end
  due[#due + 1] = id
  return false
end)
for _, id in ipairs(due) do
  rearrange(load(id), nil, function(job) job.priority = job.priority - 1 end)
end
call('HSET', base .. 'ageing', queue, ARGV[6] .. ' ' .. (bound and text(bound) or '-'))
return reply(1, #due, bound or -1)
