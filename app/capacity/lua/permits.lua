-- What every permit script begins with: the keys of one provider, and the line's own rules.
--   held  id -> when its lease ends        line  id -> its place        alive  id -> when its waiter counts as dead
--   gone  id -> until when it is remembered that it was given back: a late command must not revive it
--   meta  last_place, vendor, learned, learned_at      server  run, quiet_until: of all providers
-- All times are the server's, in milliseconds. An id begins with its owner and ends with its rank: owner|n|rank.
local held, line, alive, gone, meta, server = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local wake, configured, most_waiting = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local LEASE, WAITER, REMEMBERED, SETTLING = 5000, 2000, 30000, 2000
local UNKNOWN = 5 -- permits, where neither operator (0) nor vendor has said
local RISE, BURST = 10000, 2000
local PLACES = 10000000000000 -- places in the line of one rank: milliseconds since 1970, and some
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function rank_of(id)
  return tonumber(string.match(id, '|(%d+)$'))
end

local function noted(field)
  return tonumber(redis.call('HGET', meta, field) or '')
end

-- The least of what was configured, what the vendor says, and what its refusals taught.
local function limit()
  local most = configured > 0 and configured or noted('vendor') or UNKNOWN
  local cap = math.min(most, noted('vendor') or most)
  local learned = noted('learned')
  if learned then
    local risen = learned + math.floor((now - noted('learned_at')) / RISE)
    if risen >= cap then
      redis.call('HDEL', meta, 'learned', 'learned_at')
    end
    cap = math.min(cap, risen)
  end
  return math.max(1, cap)
end

-- Behind all who ever stood there, also before the store was emptied.
local function next_place(id)
  local place = math.max(now, (noted('last_place') or 0) + 1)
  redis.call('HSET', meta, 'last_place', string.format('%.0f', place))
  return rank_of(id) * PLACES + place
end

local function leave(id)
  redis.call('ZREM', held, id)
  redis.call('ZREM', line, id)
  redis.call('ZREM', alive, id)
  redis.call('ZADD', gone, now + REMEMBERED, id)
end

local function hold(id)
  redis.call('ZREM', line, id)
  redis.call('ZREM', alive, id)
  redis.call('ZADD', held, now + LEASE, id)
end

local function forget_the_dead()
  redis.call('ZREMRANGEBYSCORE', held, '-inf', now)
  redis.call('ZREMRANGEBYSCORE', gone, '-inf', now)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', alive, '-inf', now)) do
    redis.call('ZREM', line, id)
    redis.call('ZREM', alive, id)
  end
end

local function batch_is_full(cap)
  local count = 0
  for _, id in ipairs(redis.call('ZRANGE', held, 0, -1)) do
    if rank_of(id) >= 2 then count = count + 1 end
  end
  return count >= math.max(1, math.floor(0.7 * cap))
end

-- Another server than the last one, or one that was emptied: nobody is served until all had time to say what they
-- hold. Who finds it empty need not know which one it is.
local function recognise(run)
  local known = redis.call('HGET', server, 'run')
  if known == run or (known and run == '') then return end
  redis.call('HSET', server, 'run', run)
  if known ~= '' then redis.call('HSET', server, 'quiet_until', now + SETTLING) end
end

-- Whoever is first in line gets what is free.
local function serve()
  recognise('')
  if now < tonumber(redis.call('HGET', server, 'quiet_until') or '0') then return end
  local cap = limit()
  local room = cap - redis.call('ZCARD', held)
  while room > 0 do
    local head = redis.call('ZRANGE', line, 0, 0)[1]
    if not head or (rank_of(head) >= 2 and batch_is_full(cap)) then return end
    hold(head)
    redis.call('PUBLISH', wake .. string.match(head, '^[^|]*'), head)
    room = room - 1
  end
end

-- How many of the ids in `key` are not of `owner`.
local function others(key, owner)
  local count, start = 0, owner .. '|'
  for _, id in ipairs(redis.call('ZRANGE', key, 0, -1)) do
    if string.sub(id, 1, #start) ~= start then count = count + 1 end
  end
  return count
end

local function standing()
  return { now, redis.call('ZCARD', held), redis.call('ZCARD', line), limit() }
end
