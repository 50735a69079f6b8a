-- KEYS: calls. ARGV: life in ms; then for each call how many streams it had, and its record.
-- Who was parted from the store must not overwrite what was written on a later stream of the call; no clock says so.
for i, key in ipairs(KEYS) do
  local streams, body = ARGV[2 * i], ARGV[2 * i + 1]
  if tonumber(redis.call('HGET', key, 'streams') or '0') <= tonumber(streams) then
    redis.call('HSET', key, 'streams', streams, 'body', body)
    redis.call('PEXPIRE', key, ARGV[1])
  end
end
return ''
