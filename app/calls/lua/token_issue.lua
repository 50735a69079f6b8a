-- KEYS: the call's digest ('' call: unused), the new token. ARGV: digests' prefix, token, its digest, call, life and
-- memory in ms, '1' for a new one at any rate. Answers the token. Times are the server's, in milliseconds.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local call, kept = ARGV[4], tonumber(ARGV[6])
if call ~= '' and ARGV[7] ~= '1' then
  local known = redis.call('GET', KEYS[1])
  if known then
    local text = redis.call('HGET', ARGV[1] .. known, 'text')
    if text then return text end
  end
end
redis.call('HSET', KEYS[2], 'text', ARGV[2], 'call', call, 'used', '0', 'till', now + tonumber(ARGV[5]))
redis.call('PEXPIRE', KEYS[2], kept)
if call ~= '' then redis.call('SET', KEYS[1], ARGV[3], 'PX', kept) end
return ARGV[2]
