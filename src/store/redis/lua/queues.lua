#!lua flags=no-writes
-- All queues.
-- Answers  lists of fields and values: numbers and names; numbers and settings (JSON);
--          counts (see counts); numbers and since when the longest waiting job of their line is claimable
-- Needs: record
local function earlier(dueAt, ids, queue)
  if #ids == 0 then return dueAt end
  for index, record in ipairs(call('HMGET', jobsKey, unpack(ids))) do
    if record and isSound(record) then
      local form = formOf(record)
      if form.state == READY and form.turn == LINE and form.queue == queue then
        local job = decode(ids[index], record)
        if not dueAt or job.dueAt < dueAt then dueAt = job.dueAt end
      end
    end
  end
  return dueAt
end

local function oldest(queue)
  local number, dueAt = text(queue)
  for _, priority in ipairs(call('ZRANGE', base .. 'priorities:' .. number, 0, OLDEST_AMONG - 1)) do
    dueAt = earlier(dueAt, call('LRANGE', base .. 'line:' .. number .. ':' .. priority, 0, OLDEST_AMONG - 1), queue)
  end
  local back = call('ZRANGE', base .. 'back:' .. number, 0, OLDEST_AMONG - 1)
  for index, member in ipairs(back) do back[index] = sub(member, 11) end
  return earlier(dueAt, back, queue)
end

local counts, since = call('HGETALL', base .. 'counts'), {}
for index = 1, #counts, 2 do
  local field = numberIn(counts[index], 0)
  if field % 8 == READY and numberIn(counts[index + 1], 0) > 0 then
    local dueAt = oldest(floor(field / 8))
    if dueAt then
      since[#since + 1] = text(floor(field / 8))
      since[#since + 1] = text(dueAt)
    end
  end
end
return reply(
  call('HGETALL', base .. 'queueNames'),
  call('HGETALL', base .. 'settings'),
  counts,
  since
)
