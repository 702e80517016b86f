#!lua flags=allow-oom
-- Mends plans that doctor-plans.lua found not to be whole.
-- ARGV[4]... their keys
-- Needs: planlook
for index = 4, #ARGV do
  if not isPlanWhole(ARGV[index]) then mendPlan(ARGV[index]) end
end
return reply()
