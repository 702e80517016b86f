-- Part: wire. Verbs take and give bytes in one argument each, which costs both ends less than many small ones; wire.ts
-- writes and reads the same. Ids have their length (I2) before them, texts theirs (I4; 4294967295 for none). Needs: whole

-- Takes values off `bytes` from `at` on.
local function reader(bytes)
  local at = 1
  local self = {}
  function self.more() return at <= #bytes end
  function self.number(format)
    local value
    value, at = unpackStruct(format, bytes, at)
    return value
  end
  function self.id()
    local length
    length, at = unpackStruct('<I2', bytes, at)
    at = at + length
    return sub(bytes, at - length, at - 1)
  end
  function self.text()
    local length
    length, at = unpackStruct('<I4', bytes, at)
    if length == NOTHING then return nil end
    at = at + length
    return sub(bytes, at - length, at - 1)
  end
  -- What settle-rule.ts returned: state B, attempt I3, crashes I2, dueAt d (NaN for none), ends B, result and error as
  -- texts. Times are counted from `since`.
  function self.change(since)
    local change = {}
    change.state, change.attempt, change.crashes = self.number('B'), self.number('<I3'), self.number('<I2')
    local dueAt = self.number('<d')
    if dueAt == dueAt then change.dueAt = since + dueAt end
    if self.number('B') == 1 then change.finishedAt = now end
    change.result, change.error = self.text(), self.text()
    return change
  end
  return self
end

local function idBytes(id)
  return pack('<I2', #id) .. id
end
