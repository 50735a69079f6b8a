-- ARGV: calls that this replica would send in. Answers those that no other one is sending in.
local mine = {}
for _, call in ipairs(ARGV) do
  if redis.call('ZSCORE', line, call) and not redis.call('ZSCORE', fetched, call) then
    redis.call('ZADD', fetched, now, call)
    mine[#mine + 1] = call
  end
end
if #mine > 0 then changed() end
return mine
