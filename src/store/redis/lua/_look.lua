-- Part: look. A job as it is shown: id, record, id of the worker that holds it (or nil), when its lease ends (or nil).
-- Needs: whole, leases
local batchesRead = {}
local function shown(id, kept)
  local record = readable(id, kept)
  if not record then return {} end
  local number = formOf(record).state == RUNNING and decode(id, record).batch
  if not number then return { id, record, false, false } end
  if batchesRead[number] == nil then batchesRead[number] = readBatch(text(number)) or false end
  local batch = batchesRead[number]
  if not batch then return { id, record, false, false } end
  return { id, record, batch.workerId, batch.expiresAt }
end
