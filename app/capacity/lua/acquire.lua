-- id, then ids that are given back first. Answers the standing, and 'granted', 'waiting', 'full' or 'gone'; the place.
local id = ARGV[4]
for i = 5, #ARGV do leave(ARGV[i]) end
forget_the_dead()
local answer = 'waiting'
if redis.call('ZSCORE', gone, id) then
  answer = 'gone'
elseif redis.call('ZSCORE', held, id) then
  hold(id)
elseif not redis.call('ZSCORE', line, id) then
  redis.call('ZADD', line, next_place(id), id)
  redis.call('ZADD', alive, now + WAITER, id)
end
local place = redis.call('ZSCORE', line, id) or '0'
serve()
if redis.call('ZSCORE', held, id) then
  answer = 'granted'
elseif answer == 'waiting' and redis.call('ZCARD', line) > most_waiting then
  leave(id)
  answer = 'full'
end
return { standing(), answer, place }
