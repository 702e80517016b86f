-- Part: terms. What jobs are found by: correlation id and tags of their meta, as core/terms.ts says. Needs: record
--   terms            sorted set of equal scores: term, U+001F, seq I6 (big-endian), id. Entries are hints: one counts if its job
--                    is there, with this seq and term
local termsKey = base .. 'terms'

-- A table, or nil. Half of a surrogate pair, which JSON can have, cannot be read.
local function readMeta(meta)
  local isJson, of = pcall(cjson.decode, meta)
  if not isJson then isJson, of = pcall(cjson.decode, (string.gsub(meta, '\\u[dD][89a-fA-F]%x%x', '\\ufffd'))) end
  return isJson and type(of) == 'table' and of or nil
end

local function termsOf(meta)
  local terms = {}
  if not meta or not (string.find(meta, '"correlationId"', 1, true) or string.find(meta, '"tags"', 1, true)) then return terms end
  local of = readMeta(meta)
  if not of then return terms end
  if type(of.correlationId) == 'string' then terms[1] = 'c:' .. of.correlationId end
  if type(of.tags) ~= 'table' then return terms end
  for _, tag in ipairs(of.tags) do
    if type(tag) == 'string' then terms[#terms + 1] = 't:' .. tag end
  end
  return terms
end

local function termMember(term, seq, id)
  return term .. '\31' .. pack('>I6', seq) .. id
end

-- For a job that was added, or got another meta.
local function enterTerms(id, seq, meta)
  for _, term in ipairs(termsOf(meta)) do call('ZADD', termsKey, 0, termMember(term, seq, id)) end
end

local function leaveTerms(job)
  for _, term in ipairs(termsOf(job.meta)) do call('ZREM', termsKey, termMember(term, job.seq, job.id)) end
end

-- Whether a job has the correlation id and the tag, nil for any. The job whose id the correlation id is counts, too, unless
-- it has another one.
local function hasTerms(job, correlationId, tag, isRoot)
  local own, isTagged = nil, tag == nil
  for _, term in ipairs(termsOf(job.meta)) do
    if sub(term, 1, 2) == 'c:' then own = sub(term, 3) elseif tag and sub(term, 3) == tag then isTagged = true end
  end
  return isTagged and (not correlationId or own == correlationId or isRoot and not own)
end
