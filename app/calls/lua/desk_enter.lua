-- ARGV: call, numbers, ms to keep the slot, 'in line' or 'again'; then who is passed by right.
-- Answers 'in', 'full', 'left', or 'settling' (all have to be heard first).
local call = ARGV[1]
local again = ARGV[4] == 'again'
if again then redis.call('ZREM', past, 'over|' .. call) end
if in_house(call) then
  keep(call, ARGV[2], tonumber(ARGV[3]))
  return 'in'
end
if is_past('over', call) then return 'in' end -- a replayed webhook: there is a token, which is used up
if is_past('left', call) then return 'left' end
if is_quiet() then return 'settling' end
local ahead = 0
if not again then
  local passed = {}
  for i = 5, #ARGV do passed[ARGV[i]] = true end
  for _, each in ipairs(redis.call('ZRANGE', line, 0, -1)) do
    if each == call then break end
    if not passed[each] then ahead = ahead + 1 end
  end
end
if redis.call('ZCARD', slots) + ahead >= room() then return 'full' end
leave_line(call)
keep(call, ARGV[2], tonumber(ARGV[3]))
return 'in'
