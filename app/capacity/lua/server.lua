-- What every script of ours begins with. The last key is of the store itself: run, quiet_until.
-- Another application, or an operator's slip, may have left anything under our keys: it is never an error.
local server = KEYS[#KEYS]
local SETTLING, LARGEST = 1500, 10000000000000
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) -- milliseconds, as all times

local function number_in(key, field)
  local number = tonumber(redis.call('HGET', key, field) or '')
  if number and number >= 0 and number < LARGEST then return number end
end

-- A key of another kind would make every command fail, for ever.
local function mend(kinds)
  kinds[server] = 'hash'
  for key, kind in pairs(kinds) do
    local met = redis.call('TYPE', key).ok
    if met ~= kind and met ~= 'none' then
      redis.call('DEL', key)
      redis.call('DEL', server) -- as if emptied: all say first what they hold
    end
  end
end

-- Another server than the last one, or one that was emptied: nobody is served until all had time to say what they
-- hold. Who finds it empty need not know which one it is.
local function recognise(run)
  local known = redis.call('HGET', server, 'run')
  if known == run or (known and run == '') then return end
  redis.call('HSET', server, 'run', run)
  if known ~= '' then redis.call('HSET', server, 'quiet_until', now + SETTLING) end
end

local function is_quiet()
  recognise('')
  local until_ms = number_in(server, 'quiet_until') or 0
  return now < until_ms and until_ms <= now + SETTLING
end
