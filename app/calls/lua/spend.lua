-- KEYS: rows (row -> value), order (row -> version), server. ARGV: a name for a new epoch, the epoch and the version that
-- are known, how many rows may be told, channel or '', own name; the oldest hour, day, date and month that count; then
-- row and value of each that is told. Answers the epoch, the last version told, the rows and whether there are more.
local rows, order = KEYS[1], KEYS[2]
local OLD_AT_ONCE, KEPT = 50, 40 * 86400
mend({ [rows] = 'hash', [order] = 'zset' })

-- The epoch and the version lie among the rows: whoever empties them empties all.
local epoch = redis.call('HGET', rows, 'epoch')
if not epoch or not number_in(rows, 'version') or redis.call('HLEN', rows) ~= redis.call('ZCARD', order) + 2 then
  redis.call('DEL', rows, order)
  epoch = ARGV[1]
  redis.call('HSET', rows, 'epoch', epoch, 'version', 0)
end
local since = epoch == ARGV[2] and tonumber(ARGV[3]) or 0

local function is_old(row)
  local kind, step = string.match(row, '^(%l+):([%d-]+):')
  if kind == 'hour' then return (tonumber(step) or 0) < tonumber(ARGV[7]) end
  if kind == 'day' then return (tonumber(step) or 0) < tonumber(ARGV[8]) end
  if kind == 'money' then return step < ARGV[#step == #ARGV[9] and 9 or 10] end
  return true
end

for i = 11, #ARGV, 2 do
  redis.call('HSET', rows, ARGV[i], ARGV[i + 1])
  redis.call('ZADD', order, redis.call('HINCRBY', rows, 'version', 1), ARGV[i])
end
for _, row in ipairs(redis.call('ZRANGE', order, 0, OLD_AT_ONCE - 1)) do
  if is_old(row) then
    redis.call('HDEL', rows, row)
    redis.call('ZREM', order, row)
  end
end
redis.call('EXPIRE', rows, KEPT)
redis.call('EXPIRE', order, KEPT)
if ARGV[5] ~= '' then redis.call('PUBLISH', ARGV[5], ARGV[6]) end

local most = tonumber(ARGV[4])
local found = redis.call('ZRANGEBYSCORE', order, '(' .. since, '+inf', 'WITHSCORES', 'LIMIT', 0, most)
local told = {}
for i = 1, #found, 2 do
  told[i], told[i + 1] = found[i], redis.call('HGET', rows, found[i]) or ''
  since = found[i + 1]
end
return { epoch, tostring(since), told, #found == 2 * most and 1 or 0 }
