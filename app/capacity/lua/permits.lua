-- What every permit script has after server.lua: the keys of one provider, and the line's own rules.
--   held  id -> when its lease ends        line  id -> its place        alive  id -> when its waiter counts as dead
--   gone  id -> until when it is remembered that it was given back: a late command must not revive it
--   meta  last_place, vendor, learned, learned_at
-- All times are the server's, in milliseconds. An id begins with its owner and ends with its rank: owner|n|rank.
local held, line, alive, gone, meta = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local wake, configured, most_waiting = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local LEASE, WAITER, REMEMBERED = 5000, 2000, 30000
local RISE, BURST, MARGIN, UNKNOWN = 10000, 2000, 0.05, 5 -- as in effective.py
local BATCH, BATCH_SHARE = 2, 0.7 -- as in line.py
local PLACES = LARGEST -- places in the line of one rank: milliseconds since 1970, and some
local function noted(field)
  return number_in(meta, field)
end

local function rank_of(id)
  return tonumber(string.match(id, '|(%d)$') or BATCH)
end

mend({ [held] = 'zset', [line] = 'zset', [alive] = 'zset', [gone] = 'zset', [meta] = 'hash' })

local function learned_at()
  local at = noted('learned_at')
  if not at or at > now then -- the server's clock was set back
    at = now
    redis.call('HSET', meta, 'learned_at', at)
  end
  return at
end

-- The least of what was configured, what the vendor says, and what its refusals taught.
local function limit()
  local cap, vendor = configured, noted('vendor')
  if vendor then
    vendor = math.max(1, vendor - math.max(1, math.ceil(vendor * MARGIN)))
    cap = math.min(cap or vendor, vendor)
  end
  cap = cap or UNKNOWN
  local learned = noted('learned')
  if learned then
    local risen = learned + math.floor((now - learned_at()) / RISE)
    if risen >= cap then
      redis.call('HDEL', meta, 'learned', 'learned_at')
    end
    cap = math.min(cap, risen)
  end
  return math.max(1, cap)
end

-- What the vendor allows ('' for what it does not say, '-' for no news), how often it refused, and how many were in
-- use then. Of a burst each counts: all were begun under the old limit.
local function learn(vendor, refusals, in_use)
  if vendor == '' then
    redis.call('HDEL', meta, 'vendor')
  elseif vendor ~= '-' then
    redis.call('HSET', meta, 'vendor', vendor)
  end
  for _ = 1, tonumber(refusals) do
    local known = limit()
    if not (noted('learned') and now - learned_at() < BURST) then
      known = math.min(known, math.max(tonumber(in_use), redis.call('ZCARD', held)))
    end
    redis.call('HSET', meta, 'learned', math.max(1, known - 1), 'learned_at', now)
  end
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

-- Nothing ends later than if it had been renewed just now: the server's clock may have been set back by an hour.
local function forget(key, most)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, '(' .. now + most, '+inf')) do
    redis.call('ZADD', key, now + most, id)
  end
end

-- Whoever stands in the line has somebody who waits there.
local function forget_the_dead()
  forget(held, LEASE)
  forget(gone, REMEMBERED)
  forget(alive, WAITER)
  if redis.call('ZCARD', line) == redis.call('ZCARD', alive) then return end
  for key, other in pairs({ [line] = alive, [alive] = line }) do
    for _, id in ipairs(redis.call('ZRANGE', key, 0, -1)) do
      if not redis.call('ZSCORE', other, id) then redis.call('ZREM', key, id) end
    end
  end
end

local function batch_is_full(cap)
  local count = 0
  for _, id in ipairs(redis.call('ZRANGE', held, 0, -1)) do
    if rank_of(id) >= BATCH then count = count + 1 end
  end
  return count >= math.max(1, math.floor(BATCH_SHARE * cap))
end

-- Whoever is first in line gets what is free.
local function serve()
  if is_quiet() then return end
  local cap = limit()
  local room = cap - redis.call('ZCARD', held)
  while room > 0 do
    local head = redis.call('ZRANGE', line, 0, 0)[1]
    if not head or (rank_of(head) >= BATCH and batch_is_full(cap)) then return end
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
  return { now, redis.call('ZCARD', held), redis.call('ZCARD', line), limit(), noted('vendor') or 0 }
end
