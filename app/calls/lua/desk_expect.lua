-- ARGV: call, ms within which it asks again.
if redis.call('ZSCORE', line, ARGV[1]) then redis.call('ZADD', expected, now + tonumber(ARGV[2]), ARGV[1]) end
return ''
