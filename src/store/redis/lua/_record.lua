-- Part: record. A job as the value of its field in the hash `jobs`; record.ts reads the same.
-- Needs: begin
--
--   front   form: state, turn and flags I3 (state + 8 * turn + 32 * flags), queue I2, task I2
--           then, each where its flag says so: TICKET ticket I6; TRIES attempt I3, crashes I2 (else both are 0); STARTED
--           startedAt I6; BATCH batch I6; FINISHED finishedAt I7; INNER the form the job had before it was leased, of no
--           more use: with it, the record as it was is what follows, whole
--   rest    seq I6 (big-endian: those of one chunk begin alike), createdAt I6
--           then, each where its flag says so: ATTEMPTS attemptsMax B (else it is 3); PRIORITY i4 (else it is 0); WIDE queue I4,
--           task I4, attemptsMax I7 (the others of these mean nothing then); DUE dueAt I7 (else it is createdAt); KEY, UNIQUE, META, PROGRESS, each a text with its length
--           I4 before it; INPUT a text up to the end, or up to RESULT, a text with its length I4 behind it
--
-- The others little-endian. With 19 bytes besides, the record of a job that waits with a short input is a string of Redis's
-- smallest kind (below 32 bytes). The form says where all but the texts stand: a script finds that out once. Jobs that were
-- claimed together have the same front, so claiming and completing one is to put another front before its rest. Few
-- and short strings matter: Lua hashes every byte of each.
--
-- The field is the job's id: the 16 bytes of a UUID, or other text between NULs (at least 17 bytes).
local FORM_BYTES = 7
local DUE, STARTED, BATCH, FINISHED, TICKET, KEY, UNIQUE, PROGRESS, RESULT, INPUT =
  1, 2, 4, 8, 16, 32, 64, 128, 256, 512
-- CANCEL: it is asked for. APART: in the line, the job stands in `back`. TRAIL: there are errors, log lines or audit.
local CANCEL, APART, TRAIL, WIDE, PRIORITY, TRIES, ATTEMPTS, INNER = 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072
-- The last that three bytes have room for.
local META = 262144
local ATTEMPTS_MAX = 3
local ALL_FLAGS = 524287
-- Whose turn it is among the jobs of a key; see turns.
local NONE, LINE, LATER, HELD = 0, 1, 2, 3
local has = bit.band
local function with(flags, flag) return bit.bor(flags, flag) end
local function without(flags, flag) return bit.band(flags, bit.bnot(flag)) end

-- Whether a job can be in this state with these flags and this turn.
local function isPossible(state, turn, flags)
  if state < SCHEDULED or state > CANCELLED or flags > ALL_FLAGS then return false end
  if (state == RUNNING) ~= (has(flags, BATCH) > 0) or (state == RUNNING and has(flags, STARTED) == 0) then return false end
  if (state >= COMPLETED) ~= (has(flags, FINISHED) > 0) then return false end
  if turn >= LATER and has(flags, KEY) == 0 then return false end
  return (turn ~= HELD or state == READY) and (has(flags, APART) == 0 or state == READY)
end

local function newForm(record)
  local bits, queue, task = unpackStruct('<I3I2I2', record)
  local flags, at = floor(bits / 32), FORM_BYTES + 1
  local form = { state = bits % 8, turn = floor(bits / 8) % 4, flags = flags }
  local function past(flag, bytes)
    local from = at
    if has(flags, flag) > 0 then at = at + bytes end
    return from
  end
  form.ticketAt, form.triesAt, form.startedAt = past(TICKET, 6), past(TRIES, 5), past(STARTED, 6)
  form.batchAt, form.finishedAt = past(BATCH, 6), past(FINISHED, 7)
  past(INNER, FORM_BYTES)
  form.seqAt = at
  at = at + 12
  form.attemptsAt, form.priorityAt, form.wideAt = past(ATTEMPTS, 1), past(PRIORITY, 4), past(WIDE, 15)
  if has(flags, WIDE) > 0 then queue, task = tryUnpack('<I4I4', record, form.wideAt) end
  form.queue, form.task = queue, task
  form.dueAt = past(DUE, 7)
  form.textsAt = at
  form.isTexted = has(flags, KEY + UNIQUE + META + PROGRESS + RESULT) > 0
  if form.isTexted then
    for _, flag in ipairs({ KEY, UNIQUE, META, PROGRESS, RESULT }) do past(flag, 4) end
  end
  -- The least bytes of such a record; all of them, where it has no texts.
  form.least = at - 1
  -- What a list's entry must say of its job to count: ready, in its turn, never held.
  form.isInLine = form.state == READY and form.turn == LINE and has(flags, TICKET) == 0
  return form
end

-- What is common to the records of a form: values, and where the others stand (<name>At). Not to be changed.
local forms = {}
local function formOf(record)
  local bytes = sub(record, 1, FORM_BYTES)
  local form = forms[bytes]
  if not form then
    form = newForm(record)
    if has(form.flags, WIDE) == 0 then forms[bytes] = form end
  end
  return form
end

-- Whether the texts of a record are as long as they say and fill it.
local function areTextsWhole(record, form)
  local at, last = form.textsAt, #record
  for _, flag in ipairs({ KEY, UNIQUE, META, PROGRESS }) do
    if has(form.flags, flag) > 0 then
      if at + 3 > last then return false end
      at = at + 4 + unpackStruct('<I4', record, at)
    end
  end
  if has(form.flags, RESULT) > 0 then last = last - 4 - unpackStruct('<I4', record, last - 3) end
  return at <= last + 1 and (has(form.flags, INPUT) > 0 or at == last + 1)
end

-- Whether a record can be read: it is as long as its form says, and the form is one that jobs have. Nothing below may be
-- asked about one that is not.
local function isSound(record)
  if #record < FORM_BYTES then return false end
  local form = formOf(record)
  if form.isPossible == nil then form.isPossible = isPossible(form.state, form.turn, form.flags) end
  if not form.isPossible or #record < form.least then return false end
  if form.isTexted then return areTextsWhole(record, form) end
  return has(form.flags, INPUT) > 0 or #record == form.least
end

local function bitsOf(state, turn, flags)
  return pack('<I3', state + 8 * turn + 32 * flags)
end

-- The form of the same record with another state and other flags.
local function formBytes(record, form, state, flags)
  return bitsOf(state, form.turn, flags) .. sub(record, 4, FORM_BYTES)
end

-- The front of a record that is leased, as it is when its job was completed; `flags` are those it had, but for RESULT.
local function completedFront(record, form, flags, finishedAt)
  local after = with(without(flags, BATCH + INNER), FINISHED)
  return formBytes(record, form, COMPLETED, after) .. sub(record, FORM_BYTES + 1, form.batchAt - 1) .. finishedAt
end

local function seqOf(record)
  return (unpackStruct('>I6', record, formOf(record).seqAt))
end

local function priorityOf(record, form)
  if has(form.flags, PRIORITY) == 0 then return 0 end
  return (unpackStruct('<i4', record, form.priorityAt))
end

local function decode(id, record)
  local form = formOf(record)
  local flags, at, last = form.flags, form.textsAt, #record
  local job = { id = id, state = form.state, turn = form.turn, queue = form.queue, task = form.task,
    attemptsMax = ATTEMPTS_MAX, priority = priorityOf(record, form), attempt = 0, crashes = 0 }
  job.seq, job.createdAt = unpackStruct('>I6<I6', record, form.seqAt)
  job.dueAt = job.createdAt
  if has(flags, TICKET) > 0 then job.ticket = unpackStruct('<I6', record, form.ticketAt) end
  if has(flags, TRIES) > 0 then job.attempt, job.crashes = unpackStruct('<I3I2', record, form.triesAt) end
  if has(flags, STARTED) > 0 then job.startedAt = unpackStruct('<I6', record, form.startedAt) end
  if has(flags, BATCH) > 0 then job.batch = unpackStruct('<I6', record, form.batchAt) end
  if has(flags, FINISHED) > 0 then job.finishedAt = unpackStruct('<I7', record, form.finishedAt) end
  if has(flags, ATTEMPTS) > 0 then job.attemptsMax = unpackStruct('B', record, form.attemptsAt) end
  if has(flags, WIDE) > 0 then job.attemptsMax = unpackStruct('<I7', record, form.wideAt + 8) end
  if has(flags, DUE) > 0 then job.dueAt = unpackStruct('<I7', record, form.dueAt) end
  if has(flags, KEY) > 0 then job.key, at = unpackStruct('<I4c0', record, at) end
  if has(flags, UNIQUE) > 0 then job.unique, at = unpackStruct('<I4c0', record, at) end
  if has(flags, META) > 0 then job.meta, at = unpackStruct('<I4c0', record, at) end
  if has(flags, PROGRESS) > 0 then job.progress, at = unpackStruct('<I4c0', record, at) end
  if has(flags, RESULT) > 0 then
    local to = last - 4
    last = to - unpackStruct('<I4', record, to + 1)
    job.result = sub(record, last + 1, to)
  end
  if has(flags, INPUT) > 0 then job.input = sub(record, at, last) end
  job.cancel, job.apart, job.trail = has(flags, CANCEL) > 0, has(flags, APART) > 0, has(flags, TRAIL) > 0
  return job
end

-- Whether numbers are beyond what the form has room for.
local function isWide(queue, task, attemptsMax)
  return queue > 65535 or task > 65535 or attemptsMax > 255
end

local function encode(job)
  local flags, parts = 0, { '' }
  local function put(flag, bytes)
    flags = flags + flag
    parts[#parts + 1] = bytes
  end
  local function putNumber(flag, format, value)
    if value then put(flag, pack(format, value)) end
  end
  local function putText(flag, value)
    if value then put(flag, pack('<I4', #value) .. value) end
  end
  local queue, task, attemptsMax = job.queue, job.task, job.attemptsMax
  putNumber(TICKET, '<I6', job.ticket)
  if job.attempt ~= 0 or job.crashes ~= 0 then put(TRIES, pack('<I3I2', job.attempt, job.crashes)) end
  putNumber(STARTED, '<I6', job.startedAt)
  putNumber(BATCH, '<I6', job.batch)
  putNumber(FINISHED, '<I7', job.finishedAt)
  put(0, pack('>I6<I6', job.seq, job.createdAt))
  local wide = isWide(queue, task, attemptsMax)
  if attemptsMax ~= ATTEMPTS_MAX and not wide then putNumber(ATTEMPTS, 'B', attemptsMax) end
  if job.priority ~= 0 then putNumber(PRIORITY, '<i4', job.priority) end
  if wide then
    put(WIDE, pack('<I4I4I7', queue, task, attemptsMax))
    queue, task = 0, 0
  end
  if job.dueAt ~= job.createdAt then putNumber(DUE, '<I7', job.dueAt) end
  putText(KEY, job.key)
  putText(UNIQUE, job.unique)
  putText(META, job.meta)
  putText(PROGRESS, job.progress)
  if job.input then put(INPUT, job.input) end
  if job.result then put(RESULT, job.result .. pack('<I4', #job.result)) end
  if job.cancel then flags = flags + CANCEL end
  if job.apart then flags = flags + APART end
  if job.trail then flags = flags + TRAIL end
  parts[1] = bitsOf(job.state, job.turn, flags) .. pack('<I2I2', queue, task)
  return table.concat(parts)
end

-- Ids in a row: 16 bytes each when all are UUIDs. Others are longer, which shows in the sum: then each has its length I2
-- before it.
local function packIds(ids)
  local bytes = table.concat(ids)
  if #bytes == 16 * #ids then return bytes end
  local parts = {}
  for index, id in ipairs(ids) do parts[index] = pack('<I2', #id) .. id end
  return table.concat(parts)
end

-- Empty where the bytes are not those of so many.
local function unpackIds(bytes, size)
  local ids = {}
  if #bytes == 16 * size then
    for index = 1, size do ids[index] = sub(bytes, index * 16 - 15, index * 16) end
    return ids
  end
  local at = 1
  for index = 1, size do
    ids[index], at = tryUnpack('<I2c0', bytes, at)
    if not at then return {} end
  end
  return ids
end
