-- KEYS: the call's digest. ARGV: digests' prefix.
local known = redis.call('GET', KEYS[1])
if known and redis.call('EXISTS', ARGV[1] .. known) == 1 then
  redis.call('HSET', ARGV[1] .. known, 'used', '1')
end
return ''
