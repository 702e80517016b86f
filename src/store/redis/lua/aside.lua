#!lua flags=allow-oom
-- Sets aside what other verbs met and cannot read, unless that is mended by now.
-- ARGV[4]... as begin's list has it
-- Needs: aside
for index = 4, #ARGV do
  local kind, what = sub(ARGV[index], 1, 1), sub(ARGV[index], 2)
  if kind == 'j' then
    local state, queue, at = unpackStruct('<BI4', what)
    local id = sub(what, at)
    local record = call('HGET', jobsKey, id)
    if record and not isSound(record) then
      makeDeadLetter(id, record, { state = state < 255 and state or nil, queue = queue > 0 and queue or nil })
    end
  else
    local wanted, key = string.match(what, '^(%l+) (.*)$')
    -- A call that does not suit the key has it taken away.
    local commands = { hash = 'HLEN', list = 'LLEN', zset = 'ZCARD', set = 'SCARD', string = 'GET' }
    call(commands[wanted], key)
  end
end
return reply()
