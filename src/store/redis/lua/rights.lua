#!lua flags=no-writes
-- Which commands the user may not run, on keys and channels of the store. The server looks for rights before it refuses a
-- write of a script that only reads, so nothing is written.
-- ARGV[4]... names of commands
-- Answers  a list: of each that is refused its name, and why
-- Needs: begin
local refused = {}
for index = 4, #ARGV do
  local command, reason = ARGV[index], nil
  local arguments = {}
  repeat
    local answer = command == 'TIME' and redis.pcall(command) or redis.pcall(command, base .. 'hints', unpack(arguments))
    reason = type(answer) == 'table' and answer.err or ''
    arguments[#arguments + 1] = base .. 'hints'
  until not string.find(reason, 'number of arg', 1, true) or #arguments > 5
  -- As servers before 7.2 say it, and later ones.
  if string.find(reason, 'The user executing the script', 1, true) or string.find(reason, 'ACL failure', 1, true) then
    refused[#refused + 1] = { command, reason }
  end
end
return reply(refused)
