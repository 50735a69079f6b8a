-- ARGV: replica, calls it takes, the version it knows, how many slots it tells of; for each: call, numbers, ms that it
-- is kept. Answers now, version, room, whether all have to be heard first, who lapsed; and, where the version is another
-- one, the slots, the numbers, the line and who is being sent in.
local count = tonumber(ARGV[4])
local before = redis.call('HGET', rooms, ARGV[1])
if not before or string.match(before, '^%d+') ~= ARGV[2] then changed() end
redis.call('HSET', rooms, ARGV[1], ARGV[2] .. ' ' .. now)
for i = 5, 4 + 3 * count, 3 do
  local hold = tonumber(ARGV[i + 2])
  keep(ARGV[i], ARGV[i + 1], hold, hold == LIVE)
  leave_line(ARGV[i])
end
local settling = is_quiet() and 1 or 0
local most = room()
local version = redis.call('HGET', meta, 'version') or '0'
local view = false
if version ~= ARGV[3] then
  view = {
    redis.call('ZRANGE', slots, 0, -1), redis.call('HGETALL', who), redis.call('ZRANGE', line, 0, -1, 'WITHSCORES'),
    redis.call('ZRANGE', fetched, 0, -1, 'WITHSCORES'),
  }
end
return { now, version, most, settling, lapsed, view }
