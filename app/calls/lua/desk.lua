-- What every script of the desk has after server.lua: the slots and the line of a fleet.
--   slots  call -> until when its slot is kept        line  call -> since when it waits
--   expected  call -> by when it must ask again       fetched  call -> since when it is being sent in
--   who  call -> calling and called number            past  'left|call', 'over|call' -> until when it is remembered
--   rooms  replica -> calls it takes, when it said so     meta  last_place, version: of all a replica should know
local slots, line, expected, fetched, who, past, rooms, meta = unpack(KEYS)
local LIVE, REMEMBERED, HEARD_OF = 5000, 3600000, 4000
mend({
  [slots] = 'zset', [line] = 'zset', [expected] = 'zset', [fetched] = 'zset',
  [who] = 'hash', [past] = 'zset', [rooms] = 'hash', [meta] = 'hash',
})
local lapsed = {}

-- A store that was emptied begins at another number than any that was known before.
local function changed()
  redis.call('HSET', meta, 'version', (number_in(meta, 'version') or now) + 1)
end

local function in_house(call)
  return redis.call('ZSCORE', slots, call)
end

local function is_past(how, call)
  return redis.call('ZSCORE', past, how .. '|' .. call)
end

local function remember(how, call)
  redis.call('ZADD', past, now + REMEMBERED, how .. '|' .. call)
end

-- Whether the call was in line.
local function leave_line(call)
  redis.call('ZREM', expected, call)
  redis.call('ZREM', fetched, call)
  if redis.call('ZREM', line, call) == 0 then return false end
  if not in_house(call) then redis.call('HDEL', who, call) end
  changed()
  return true
end

local function leave_house(call)
  if redis.call('ZREM', slots, call) == 0 then return end
  redis.call('HDEL', who, call)
  changed()
end

-- A slot is kept for at least so long; of a call that has its stream for just so long, whatever the webhook asked for.
local function keep(call, numbers, hold, just)
  if numbers == '' then redis.call('HSETNX', who, call, '') else redis.call('HSET', who, call, numbers) end
  local till = tonumber(in_house(call) or '0')
  if till == 0 then changed() end
  redis.call('ZADD', slots, just and now + hold or math.max(till, now + hold), call)
end

local function room()
  local sum, told = 0, redis.call('HGETALL', rooms)
  for i = 1, #told, 2 do
    local most, seen = string.match(told[i + 1], '^(%d+) (%d+)$')
    if seen and tonumber(seen) > now - HEARD_OF then
      sum = sum + tonumber(most)
    else
      redis.call('HDEL', rooms, told[i])
      changed()
    end
  end
  return sum
end

for _, call in ipairs(redis.call('ZRANGEBYSCORE', slots, '-inf', now)) do leave_house(call) end
for _, call in ipairs(redis.call('ZRANGEBYSCORE', expected, '-inf', now)) do
  if leave_line(call) then lapsed[#lapsed + 1] = call end
end
redis.call('ZREMRANGEBYSCORE', past, '-inf', now)
