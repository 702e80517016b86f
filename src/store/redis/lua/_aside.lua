-- Part: aside. A record that cannot be read is set aside, so that it stops nothing else: its job becomes a dead letter of the
-- task `(damaged)`, whose input has the bytes in base64; it reports to its plan where the bytes still name that. What else
-- cannot be read goes into the hash `aside`: what it was -> its bytes; or, for a key of another type than it should have, to a
-- key of its own, `aside:<key>`. Needs: turns, traces, plans
--   asideEnds  list: ids of such dead letters of which no reap has told yet, the last ASIDE_ENDS of them
local ASIDE_ENDS = 1000
local damagedName = '(damaged)'

local function base64(bytes)
  local digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  local function digit(value) return sub(digits, value + 1, value + 1) end
  local pairOf, parts = {}, {}
  for value = 0, 4095 do pairOf[value] = digit(floor(value / 64)) .. digit(value % 64) end
  for at = 1, #bytes, 3 do
    local first, second, third = byte(bytes, at, at + 2)
    local bits = first * 65536 + (second or 0) * 256 + (third or 0)
    local tail = pairOf[bits % 4096]
    if not second then tail = '==' elseif not third then tail = sub(tail, 1, 1) .. '=' end
    parts[#parts + 1] = pairOf[floor(bits / 4096)] .. tail
  end
  return table.concat(parts)
end

-- What a damaged record still says: state, queue, seq, batch and key, each where it can be read.
local function factsOf(record)
  local facts = {}
  if #record < FORM_BYTES then return facts end
  local form = formOf(record)
  if not isPossible(form.state, form.turn, form.flags) or not form.queue or nameOf('queue', form.queue) == '' then return facts end
  facts.state, facts.queue = form.state, form.queue
  if form.state == RUNNING then
    local batch = sub(record, form.batchAt, form.batchAt + 5)
    if #batch < 6 then facts.state = nil
    elseif wholeAt(form.queue, batch) then facts.state = COMPLETED
    else facts.batch = unpackStruct('<I6', batch) end
  end
  if #record >= form.seqAt + 5 then facts.seq = unpackStruct('>I6', record, form.seqAt) end
  if facts.seq and facts.seq > numberIn(call('GET', base .. 'seq'), 0) then facts.seq = nil end
  if has(form.flags, KEY) > 0 and form.turn ~= NONE then facts.key = tryUnpack('<I4c0', record, form.textsAt) end
  return facts
end

-- Takes the id out of the line of its key, which it returns. A key that is not known is looked for.
local function leaveTurn(id, queue, key)
  for _, one in ipairs(key and { key } or call('SMEMBERS', base .. 'keys:' .. queue)) do
    if call('SREM', keyPlace('turn', queue, one), id) == 1 then return one end
  end
end

-- Takes the job out of the counts and lines it stood in, as far as is known; the others have hints.
local function leaveDamaged(id, record, facts)
  local queue, state, seq = facts.queue, facts.state, facts.seq
  if not queue then return nil end
  if state and seq then count(facts, state, -1)
  elseif state then countDelta[queue * 8 + state] = (countDelta[queue * 8 + state] or 0) - 1 end
  if state and isEnded(state) then
    call('ZREM', base .. 'late:' .. queue .. ':' .. state, id)
    countBytes(queue, state, -#record)
  end
  if state == SCHEDULED and seq then call('ZREM', base .. 'due:' .. queue, pack('>I6', seq) .. id) end
  if facts.batch then depart(facts.batch) end
  return leaveTurn(id, queue, facts.key)
end

-- The meta of the dead letter: what is left of the plan in the record. nil for none.
local function metaLeft(record)
  local ref = string.match(record, '"plan":"[^"\\%c]*\\u001f[^"\\%c]*"')
  return ref and '{' .. ref .. '}'
end

-- `was` as in whole's setAside.
local function makeDeadLetter(id, record, was)
  local facts = factsOf(record)
  addTraces(id, facts, was)
  local key = leaveDamaged(id, record, facts)
  local job = { id = id, state = FAILED, turn = LINE, priority = 0, attemptsMax = ATTEMPTS_MAX, attempt = 0, crashes = 0,
    queue = facts.queue or numberOf('queue', damagedName, true), task = numberOf('task', damagedName, true), seq = facts.seq,
    meta = metaLeft(record), createdAt = now, dueAt = now, finishedAt = now, input = '{"damaged":"' .. base64(record) .. '"}' }
  if not job.seq then
    job.seq = nextNumber()
    call('RPUSH', base .. 'all:' .. text(floor(job.seq / CHUNK)), id)
  end
  keepError(job, '{"attempt":0,"at":' .. text(now) .. ',"name":"LongshoreError","message":"The record of this job in the store ' ..
    'could not be read (' .. #record .. ' bytes) and was set aside. Its bytes are the input of this dead letter, in base64; ' ..
    'longshore doctor looks for more.","stack":null,"code":"STORE_CORRUPT"}')
  enter(job)
  reportEnd(job)
  hint('settled')
  call('RPUSH', base .. 'asideEnds', id)
  call('LTRIM', base .. 'asideEnds', -ASIDE_ENDS, -1)
  if key then admit(facts.queue, key) end
end
