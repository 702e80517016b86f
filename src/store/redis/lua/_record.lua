-- Part: record. A job as the value of its field in the hash `jobs`; record.ts reads and writes the same.
-- Needs: begin
--
--   seq I6, state and turn B (turn * 16 + state), flags I2, attempt I3, crashes I2, queue I3, task I3, priority i4,
--   attemptsMax I3, createdAt I6; then, each where its flag says so: attemptsMax I7 (beyond 24 bits), dueAt I7 (else it
--   is createdAt), startedAt I6, batch I6, finishedAt I7, ticket I6; then texts with a length I4 before each: key, unique,
--   progress, result; then the input up to the end. All little-endian; the head is 33 bytes.
--
-- The field is the job's id: the 16 bytes of a UUID, or other text between NULs (at least 17 bytes).
local HEAD = '<I6BI2I3I2I3I3i4I3I6'
local HEAD_BYTES = 33
local DUE, STARTED, BATCH, FINISHED, TICKET, KEY, UNIQUE, PROGRESS, RESULT, INPUT =
  1, 2, 4, 8, 16, 32, 64, 128, 256, 512
-- CANCEL: it is asked for. APART: in the line, the job stands in `back`. TRAIL: there are errors, log lines or audit.
local CANCEL, APART, TRAIL, WIDE = 1024, 2048, 4096, 8192
local ATTEMPTS_WIDE = 16777215
local has = bit.band
local function with(flags, flag) return bit.bor(flags, flag) end
local function without(flags, flag) return bit.band(flags, bit.bnot(flag)) end

-- Whose turn it is among the jobs of a key; see turns.
local NONE, LINE, LATER, HELD = 0, 1, 2, 3

local function decode(id, record)
  local job = { id = id }
  local at, state, flags
  job.seq, state, flags, job.attempt, job.crashes, job.queue, job.task, job.priority, job.attemptsMax, job.createdAt, at =
    unpackStruct(HEAD, record)
  job.state, job.turn = state % 16, floor(state / 16)
  if has(flags, WIDE) > 0 then job.attemptsMax, at = unpackStruct('<I7', record, at) end
  job.dueAt = job.createdAt
  if has(flags, DUE) > 0 then job.dueAt, at = unpackStruct('<I7', record, at) end
  if has(flags, STARTED) > 0 then job.startedAt, at = unpackStruct('<I6', record, at) end
  if has(flags, BATCH) > 0 then job.batch, at = unpackStruct('<I6', record, at) end
  if has(flags, FINISHED) > 0 then job.finishedAt, at = unpackStruct('<I7', record, at) end
  if has(flags, TICKET) > 0 then job.ticket, at = unpackStruct('<I6', record, at) end
  if has(flags, KEY) > 0 then job.key, at = unpackStruct('<I4c0', record, at) end
  if has(flags, UNIQUE) > 0 then job.unique, at = unpackStruct('<I4c0', record, at) end
  if has(flags, PROGRESS) > 0 then job.progress, at = unpackStruct('<I4c0', record, at) end
  if has(flags, RESULT) > 0 then job.result, at = unpackStruct('<I4c0', record, at) end
  if has(flags, INPUT) > 0 then job.input = sub(record, at) end
  job.cancel, job.apart, job.trail = has(flags, CANCEL) > 0, has(flags, APART) > 0, has(flags, TRAIL) > 0
  return job
end

local function encode(job)
  local flags, parts = 0, { '' }
  local function put(flag, format, value)
    if value == nil then return end
    flags = flags + flag
    parts[#parts + 1] = pack(format, value)
  end
  local function putText(flag, value)
    if value == nil then return end
    flags = flags + flag
    parts[#parts + 1] = pack('<I4', #value) .. value
  end
  local wide = job.attemptsMax >= ATTEMPTS_WIDE
  if wide then put(WIDE, '<I7', job.attemptsMax) end
  if job.dueAt ~= job.createdAt then put(DUE, '<I7', job.dueAt) end
  put(STARTED, '<I6', job.startedAt)
  put(BATCH, '<I6', job.batch)
  put(FINISHED, '<I7', job.finishedAt)
  put(TICKET, '<I6', job.ticket)
  putText(KEY, job.key)
  putText(UNIQUE, job.unique)
  putText(PROGRESS, job.progress)
  putText(RESULT, job.result)
  if job.input then
    flags = flags + INPUT
    parts[#parts + 1] = job.input
  end
  if job.cancel then flags = flags + CANCEL end
  if job.apart then flags = flags + APART end
  if job.trail then flags = flags + TRAIL end
  parts[1] = pack(HEAD, job.seq, job.turn * 16 + job.state, flags, job.attempt, job.crashes, job.queue, job.task,
    job.priority, wide and ATTEMPTS_WIDE or job.attemptsMax, job.createdAt)
  return table.concat(parts)
end
