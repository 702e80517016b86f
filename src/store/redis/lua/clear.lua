#!lua flags=allow-oom
-- Deletes a queue's jobs in some states, with their trails and unique keys, from the newest down. A call deletes a
-- bounded number.
-- ARGV[4] queue; [5] states, as digits; [6] seq the jobs must be below; '' for all there are; [7] at most so many
-- Answers  seq to go on below, -1 at the end; how many jobs were deleted
-- Needs: walk, change
local queue, states, most = numberOf('queue', ARGV[4]), ARGV[5], tonumber(ARGV[7])
if not queue then return reply(-1, 0) end
local doomed = {}
local bound = walk(states, tonumber(ARGV[6]) or endOfLine(), -1, function(id, record)
  if #doomed >= most then return true end
  local form = formOf(record)
  if form.queue == queue and string.find(states, tostring(form.state), 1, true) then doomed[#doomed + 1] = decode(id, record) end
  return false
end)
for _, job in ipairs(doomed) do
  dismiss(job)
  if job.batch then depart(job.batch) end
end
removeJobs(doomed)
if #doomed > 0 then
  hint('settled')
  hintRoom(queue)
end

-- Entries that nobody would meet any more. Keys are unlinked, so the server frees them aside.
if not bound then
  if counted(queue, READY) == 0 then
    for _, priority in ipairs(call('ZRANGE', base .. 'priorities:' .. queue, 0, -1)) do
      call('UNLINK', base .. 'line:' .. queue .. ':' .. priority)
    end
    call('UNLINK', base .. 'priorities:' .. queue)
  end
  for state = COMPLETED, CANCELLED do
    if counted(queue, state) == 0 then forgetEnded(queue, state) end
  end
end
return reply(bound or -1, #doomed)
