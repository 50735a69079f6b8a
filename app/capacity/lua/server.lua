-- Whether the store was emptied a moment ago, or is new: nobody is served before all had time to say what they hold.
local function quiet()
  if not redis.call('HGET', server, 'run') then
    redis.call('HSET', server, 'run', '', 'quiet_until', now + 2000)
  end
  return now < tonumber(redis.call('HGET', server, 'quiet_until') or '0')
end
