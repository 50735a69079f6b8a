-- KEYS: names by time. ARGV: statuses' prefix, ms until one counts as dead. Answers name, age in ms and status of each.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local answer = {}
local names = redis.call('ZRANGEBYSCORE', KEYS[1], now - tonumber(ARGV[2]), '+inf', 'WITHSCORES')
for i = 1, #names, 2 do
  local status = redis.call('GET', ARGV[1] .. names[i]) or '{}'
  answer[#answer + 1] = { names[i], math.max(0, now - tonumber(names[i + 1])), status }
end
return answer
