#!lua flags=allow-oom
-- Makes anew, from the records of the jobs, all that is kept of them elsewhere: counts, lines, turns, leases, names. Batches
-- that were completed whole fall apart. One call for the whole store, since jobs may change between two; a million jobs hold
-- the server up for some seconds.
-- Answers  1; 0 where records cannot be read: then they are set aside, and it is to be called again
-- Needs: strays, unique, turns
local SEQ_MAX = 140737488355327
local idOf, finishedOf, seqs = {}, {}, {}
-- Lists of seqs by queue and priority; members of sets by key; seqs of ended jobs by field of `counts`; keys by queue; jobs by
-- number of the task.
local lists, members, endings, queues, tasks = {}, {}, {}, {}, {}
local marked = {}
running, runningTotal = {}, 0

local function push(table, key, value)
  local list = table[key]
  if not list then
    list = {}
    table[key] = list
  end
  list[#list + 1] = value
end

-- Adds a job's places to what is to be written.
local function place(job)
  local queue = job.queue
  queues[queue] = queues[queue] or {}
  if job.key then queues[queue][job.key] = true end
  tasks[job.task] = true
  count(job, job.state, 1)
  if job.meta then marked[#marked + 1] = { id = job.id, seq = job.seq, meta = job.meta } end
  if job.key and job.turn == HELD then push(members, keyPlace('held', queue, job.key), heldMember(job)) end
  if job.key and inLine(job) then push(members, keyPlace('turn', queue, job.key), job.id) end
  if job.state == SCHEDULED then push(members, base .. 'due:' .. queue, { job.dueAt, dueMember(job) })
  elseif job.state == READY and job.turn == LINE then
    if job.apart or job.ticket then push(members, base .. 'back:' .. queue, backMember(job))
    else push(lists, queue .. ':' .. job.priority, job.seq) end
  elseif isEnded(job.state) then
    push(endings, queue * 8 + job.state, job.seq)
    finishedOf[job.seq] = job.finishedAt
    countBytes(queue, job.state, job.recordBytes)
  elseif job.state == RUNNING then
    push(running, text(job.batch), { id = job.id, queue = queue })
    runningTotal = runningTotal + 1
  end
end

local function read(id, kept)
  if not isSound(kept) then return setAside(id) end
  local record = asItStands(id, kept)
  local job = decode(id, record)
  local isNew = idOf[job.seq] ~= nil or job.seq > SEQ_MAX
  if isNew then job.seq = nextNumber() end
  if job.state == READY and job.turn == LINE and job.ticket then job.apart = true end
  if isNew or job.apart ~= (has(formOf(record).flags, APART) > 0) then record = encode(job) end
  if record ~= kept then call('HSET', jobsKey, id, record) end
  if job.unique and not isEnded(job.state) and not holdOf(job.unique) then setHold(job.unique, id, now, job.state) end
  idOf[job.seq], seqs[#seqs + 1], job.recordBytes = id, job.seq, #record
  place(job)
end

local function readAll()
  local cursor, known = '0', {}
  repeat
    local found = call('HSCAN', jobsKey, cursor, 'COUNT', 1000)
    cursor = found[1]
    for index = 1, #found[2], 2 do
      local id = found[2][index]
      if not known[id] then
        known[id] = true
        read(id, found[2][index + 1])
      end
    end
  until cursor == '0'
end

local function dropQueue(queue)
  local function drop(...)
    for _, name in ipairs({ ... }) do call('UNLINK', base .. name .. ':' .. queue) end
  end
  for _, priority in ipairs(call('ZRANGE', base .. 'priorities:' .. queue, 0, -1)) do
    call('UNLINK', base .. 'line:' .. queue .. ':' .. priority)
  end
  for _, key in ipairs(call('SMEMBERS', base .. 'keys:' .. queue)) do
    call('UNLINK', keyPlace('turn', queue, key), keyPlace('held', queue, key))
  end
  for state = COMPLETED, CANCELLED do forgetEnded(queue, state) end
  drop('priorities', 'back', 'due', 'keys')
end

local function dropAll()
  for _, chunk in ipairs(chunksWith('123456')) do call('UNLINK', base .. 'all:' .. text(chunk)) end
  for _, field in ipairs(call('HKEYS', base .. 'counts')) do
    local queue = floor(numberIn(field, 0) / 8)
    if not queues[queue] then queues[queue] = {} end
  end
  for queue in pairs(queues) do dropQueue(queue) end
  call('UNLINK', base .. 'counts', base .. 'places', base .. 'bytes', termsKey)
end

local function writeChunks()
  table.sort(seqs)
  local chunk, ids = nil, {}
  for index = 1, #seqs + 1 do
    local seq = seqs[index]
    local next = seq and floor(seq / CHUNK)
    if next ~= chunk then
      if chunk then
        call('UNLINK', base .. 'all:' .. text(chunk))
        callMany('RPUSH', base .. 'all:' .. text(chunk), ids)
      end
      chunk, ids = next, {}
    end
    ids[#ids + 1] = seq and idOf[seq]
  end
end

local function writeLines()
  for line, list in pairs(lists) do
    local queue, priority = string.match(line, '^(%d+):(.*)$')
    table.sort(list)
    local ids = {}
    for index, seq in ipairs(list) do ids[index] = idOf[seq] end
    call('UNLINK', base .. 'line:' .. line)
    callMany('RPUSH', base .. 'line:' .. line, ids)
    call('ZADD', base .. 'priorities:' .. queue, priority, priority)
  end
  for key, list in pairs(members) do
    local isTurn = sub(key, #base + 1, #base + 5) == 'turn:'
    call('UNLINK', key)
    for _, member in ipairs(list) do
      if isTurn then call('SADD', key, member)
      elseif type(member) == 'table' then call('ZADD', key, text(member[1]), member[2])
      else call('ZADD', key, 0, member) end
    end
  end
  for queue, keys in pairs(queues) do
    for key in pairs(keys) do call('SADD', base .. 'keys:' .. queue, key) end
  end
end

local function writeEndings()
  for field, list in pairs(endings) do
    table.sort(list, function(one, other)
      if finishedOf[one] ~= finishedOf[other] then return finishedOf[one] < finishedOf[other] end
      return one < other
    end)
    local ids = {}
    for index, seq in ipairs(list) do ids[index] = idOf[seq] end
    callMany('RPUSH', base .. 'ended:' .. floor(field / 8) .. ':' .. field % 8, ids)
    call('HSET', base .. 'endedAt', field, text(finishedOf[list[#list]]))
  end
end

-- Both ways between names and numbers: what both say holds, then what one of them says; numbers that jobs have and no name
-- is known of get one.
local function writeNames(kind, used)
  local namesKey, numbersKey, nameBy, numberBy = base .. kind .. 'Names', base .. kind .. 's', {}, {}
  local function keep(name, number)
    number = tonumber(number)
    if not number or number < 1 or number % 1 ~= 0 or name == '' or nameBy[number] or numberBy[name] then return end
    nameBy[number], numberBy[name] = name, number
  end
  local byNumber, byName = call('HGETALL', namesKey), call('HGETALL', numbersKey)
  local numberOfName = {}
  for index = 1, #byName, 2 do numberOfName[byName[index]] = byName[index + 1] end
  for index = 1, #byNumber, 2 do
    if numberOfName[byNumber[index + 1]] == byNumber[index] then keep(byNumber[index + 1], byNumber[index]) end
  end
  for index = 1, #byName, 2 do keep(byName[index], byName[index + 1]) end
  for index = 1, #byNumber, 2 do keep(byNumber[index + 1], byNumber[index]) end
  for number in pairs(used) do keep('(lost name of ' .. kind .. ' ' .. number .. ')', number) end
  call('UNLINK', namesKey, numbersKey)
  for number, name in pairs(nameBy) do
    call('HSET', namesKey, number, name)
    call('HSET', numbersKey, name, number)
  end
end

-- A lease stays where it can be read and lists its jobs; others are made anew, and end now.
local function writeLeases()
  call('UNLINK', base .. 'live', base .. 'expiry', base .. 'intact')
  for _, number in ipairs(call('HKEYS', base .. 'batches')) do
    local batch = readBatch(number)
    if batch and not running[number] then dropBatch(number, batch.workerId) end
  end
  local last = numberIn(call('GET', base .. 'batch'), 0)
  for number, jobs in pairs(running) do
    local batch, listed = readBatch(number), 0
    last = math.max(last, tonumber(number))
    local isIn = {}
    for _, id in ipairs(batch and idsIn(batch) or {}) do isIn[id] = true end
    for _, job in ipairs(jobs) do listed = listed + (isIn[job.id] and 1 or 0) end
    if listed < #jobs then
      leaseAgain(number, batch and batch.workerId or '', batch and batch.expiresAt or now)
    else
      call('HSET', base .. 'live', number, #jobs)
      call('ZADD', base .. 'expiry', text(batch.expiresAt), number)
      call('SADD', base .. 'holds:' .. batch.workerId, number)
    end
  end
  for _, number in ipairs(call('HKEYS', base .. 'batches')) do
    if not running[number] then call('HDEL', base .. 'batches', number) end
  end
  call('SET', base .. 'batch', text(last))
end

local function writeWorkers()
  local found = call('HGETALL', base .. 'workers')
  for index = 1, #found, 2 do
    local isJson, said = pcall(cjson.decode, sub(found[index + 1], 15))
    if not isJson or type(said) ~= 'table' then
      keepAside('worker ' .. found[index], found[index + 1])
      call('HDEL', base .. 'workers', found[index])
    end
  end
end

readAll()
if #damaged > 0 then return reply(0) end
dropAll()
writeChunks()
writeLines()
for _, job in ipairs(marked) do enterTerms(job.id, job.seq, job.meta) end
writeEndings()
writeNames('queue', queues)
writeNames('task', tasks)
writeLeases()
writeWorkers()
lastNumber = math.max(nextNumber(), seqs[#seqs] or 0)
for queue, keys in pairs(queues) do
  if next(keys) then setLimits(queue) end
end
for _, topic in ipairs({ 'ready', 'control', 'settled' }) do hint(topic) end
return reply(1)
