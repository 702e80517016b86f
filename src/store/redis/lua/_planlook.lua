-- Part: planlook. Whether what is kept of plans agrees with their records: for doctor, which looks and mends in steps.
-- Needs: plans
local PLANS_A_STEP = 200

-- Calls `visit` for some keys of plans: of the hash `plans`, or of what lists plans beside it. Returns where the next step begins,
-- '0' at the end.
local function stepOver(index, cursor, visit)
  local found
  if index == plansKey then found = call('HSCAN', index, cursor, 'COUNT', PLANS_A_STEP)
  else found = call('ZSCAN', index, cursor, 'COUNT', PLANS_A_STEP) end
  if not found or not found[1] then return '0' end
  for at = 1, #found[2], 2 do visit(found[2][at]) end
  return found[1]
end

-- Whether the plan is listed at this time; NaN for: it is not.
local function isAtTime(index, key, at)
  return (tonumber(call('ZSCORE', index, key) or '') or false) == (at == at and wholeMs(at))
end

local function isPlanWhole(key)
  local plan = readPlan(key)
  if not plan then return false end
  local wakeAt, expiresAt = unpackStruct('<dd', plan.bytes, 27)
  local first, toldAt = call('ZRANGE', reportsKey(key), 0, 0, 'WITHSCORES'), 0 / 0
  if first[1] then toldAt = reportAt(first[1], first[2]) end
  call('HLEN', base .. 'planTexts:' .. key)
  return toldAt and isAtTime(tellersKey, key, toldAt) and isAtTime(wakesKey, key, wakeAt) and
    isAtTime(expiresKey, key, expiresAt) and isAtTime(base .. 'planSeqs:' .. plan.kind, key, plan.seq)
end

-- Makes what is kept of a plan anew from its record; takes away what belongs to none, and keeps what cannot be read aside.
local function mendPlan(key)
  local plan = planToWrite(key)
  if not plan then return removePlan(key) end
  local wakeAt, expiresAt = unpackStruct('<dd', plan.bytes, 27)
  indexReports(key)
  setIndex(wakesKey, key, wakeAt)
  setIndex(expiresKey, key, expiresAt)
  setIndex(base .. 'planSeqs:' .. plan.kind, key, plan.seq)
end
