#!lua flags=allow-oom
-- Adds progress and log lines to running jobs, fenced by their batches.
-- ARGV[4]  notes: id, batch I6, seq I6, whether progress changes B, progress as a text, how many lines I4, lines as texts (JSON)
-- Reply    a byte each: 1 noted, 0 lost
-- Needs: jobs, wire
local read, noted = reader(ARGV[4]), {}
while read.more() do
  local job, batch, seq = load(read.id()), read.number('<I6'), read.number('<I6')
  local changes, progress = read.number('B') == 1, read.text()
  local isHeld = job ~= nil and job.state == RUNNING and job.batch == batch and job.seq == seq
  if isHeld and changes then job.progress = progress end
  for _ = 1, read.number('<I4') do
    local line = read.text()
    if isHeld then keepLog(job, line) end
  end
  if isHeld then save(job) end
  noted[#noted + 1] = string.char(isHeld and 1 or 0)
end
return reply(table.concat(noted))
