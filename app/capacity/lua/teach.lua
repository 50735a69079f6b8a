-- What the vendor allows ('' for what it does not say, '-' for no news), and whether it refused.
local vendor, refused = ARGV[4], ARGV[5]
if vendor == '' then
  redis.call('HDEL', meta, 'vendor')
elseif vendor ~= '-' then
  redis.call('HSET', meta, 'vendor', vendor)
end
-- A burst of refusals is one lesson: those within it tell of generations that were begun before.
forget_the_dead()
if refused == '1' and now - (noted('learned_at') or 0) >= BURST then
  redis.call('HSET', meta, 'learned', math.max(1, math.floor(math.min(limit(), redis.call('ZCARD', held)) / 2)), 'learned_at', now)
end
serve()
return { standing() }
