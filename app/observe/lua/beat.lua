-- KEYS: names by time, briefs by name, this one's status. ARGV: name, status, brief, ms until it counts as dead.
-- Answers name and brief of each that lives.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[4]))) do
  redis.call('ZREM', KEYS[1], name)
  redis.call('HDEL', KEYS[2], name)
end
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
redis.call('SET', KEYS[3], ARGV[2], 'PX', ARGV[4])
local answer = {}
for _, name in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  answer[#answer + 1] = { name, redis.call('HGET', KEYS[2], name) or '{}' }
end
return answer
