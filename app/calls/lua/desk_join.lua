-- ARGV: call, numbers, ms waited so far, ms within which it asks again, callers in line at most, '1' where nobody sends
-- it in any more. Answers the position from 1, 'full', 'left', or 'in'.
local call = ARGV[1]
if in_house(call) or is_past('over', call) then return 'in' end
if is_past('left', call) then return 'left' end
if not redis.call('ZSCORE', line, call) then
  if redis.call('ZCARD', line) >= tonumber(ARGV[5]) then return 'full' end
  local place = now - tonumber(ARGV[3])
  if place == now then -- of several in one millisecond each stands behind those before
    place = math.max(now, (number_in(meta, 'last_place') or 0) + 1)
    redis.call('HSET', meta, 'last_place', place)
  end
  redis.call('ZADD', line, place, call)
  redis.call('HSET', who, call, ARGV[2])
  changed()
end
redis.call('ZADD', expected, now + tonumber(ARGV[4]), call)
if ARGV[6] == '1' and redis.call('ZREM', fetched, call) == 1 then changed() end
return tostring(redis.call('ZRANK', line, call) + 1)
