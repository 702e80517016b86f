#!lua flags=allow-oom
-- Writes what the settle rule said of jobs that their workers do not settle: a worker that retires, or fell silent.
-- ARGV[4] release or expire: an expiry holds only while the lease has not been renewed; [5] id of the worker to forget,
--         or ''; then for each job its id and JSON: batch, attempt, crashes and cancel as the rule met them, its `change`,
--         with the error as a text, and of a release the change if another job took the unique key over, as `replaced`
-- Answers  for each job its state, or -1 when it is no longer as the rule met it
-- Needs: crew, change, unique
local name = ARGV[4]

local function isAsMet(job, met)
  if not job or job.state ~= RUNNING or job.batch ~= met.batch then return false end
  if job.attempt ~= met.attempt or job.crashes ~= met.crashes or job.cancel ~= met.cancel then return false end
  if name ~= 'expire' then return true end
  local batch = readBatch(text(met.batch))
  return batch == nil or batch.expiresAt <= now
end

if ARGV[5] ~= '' then call('HDEL', base .. 'workers', ARGV[5]) end
local done = {}
for index = 6, #ARGV, 2 do
  local job, met = load(ARGV[index]), cjson.decode(ARGV[index + 1])
  local change = isAsMet(job, met) and givenBack(job, met.change, met.replaced)
  if change then applyChange(job, name, change) end
  done[#done + 1] = change and change.state or -1
end
return reply(done)
