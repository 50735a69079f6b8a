-- KEYS: the token, the call's digest. ARGV: call, the token's digest, memory in ms, channel, word.
-- Answers '' or the refusal; tells the others, who may have kept a slot for the call.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local call, used, till = unpack(redis.call('HMGET', KEYS[1], 'call', 'used', 'till'))
if not used then return 'unknown' end
if used == '1' then return 'used' end
if tonumber(till) <= now then return 'expired' end
if call ~= '' and call ~= ARGV[1] then return 'other_call' end
redis.call('HSET', KEYS[1], 'used', '1', 'call', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
redis.call('PUBLISH', ARGV[4], ARGV[5])
return ''
