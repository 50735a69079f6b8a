-- run, owner, the number of ids held, these; then pairs of an id that waits and its place.
-- Answers the standing; which of the waiting are held; which of the held were not (they are again, above the limit
-- if need be: they are in use, whatever we say), and how many of those are above it; what others hold, and who else waits;
-- the places of those who wait.
if ARGV[4] ~= '' then recognise(ARGV[4]) end
forget_the_dead()
local count = tonumber(ARGV[6])
local revived, above, granted, places = {}, 0, {}, {}
for i = 7, 6 + count do
  local id = ARGV[i]
  if not redis.call('ZSCORE', gone, id) then
    if not redis.call('ZSCORE', held, id) then
      revived[#revived + 1] = id
      if redis.call('ZCARD', held) >= limit() then above = above + 1 end
    end
    hold(id)
  end
end
for i = 7 + count, #ARGV, 2 do
  local id, place = ARGV[i], ARGV[i + 1]
  if not (redis.call('ZSCORE', gone, id) or redis.call('ZSCORE', held, id)) then
    if place ~= '0' then
      redis.call('ZADD', line, place, id) -- what was promised once, whatever an emptied store made of it
    elseif not redis.call('ZSCORE', line, id) then
      redis.call('ZADD', line, next_place(id), id)
    end
    redis.call('ZADD', alive, now + WAITER, id)
  end
end
serve()
for i = 7 + count, #ARGV, 2 do
  places[#places + 1] = redis.call('ZSCORE', line, ARGV[i]) or '0'
  if redis.call('ZSCORE', held, ARGV[i]) then
    hold(ARGV[i])
    granted[#granted + 1] = ARGV[i]
  end
end
return { standing(), granted, revived, above, others(held, ARGV[5]), others(line, ARGV[5]), places }
