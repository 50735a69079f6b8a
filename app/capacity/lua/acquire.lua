-- news (vendor, refusals, in use then), id, then ids that are given back first.
-- Answers the standing; 'granted', 'waiting', 'full' or 'gone'; the place.
learn(ARGV[4], ARGV[5], ARGV[6])
local id = ARGV[7]
for i = 8, #ARGV do leave(ARGV[i]) end
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
