-- ARGV: call. Its socket has come with its token. Answers 'in' or 'full'.
local call = ARGV[1]
if not in_house(call) and not is_quiet() and redis.call('ZCARD', slots) >= room() then return 'full' end
leave_line(call)
remember('over', call)
keep(call, '', LIVE, true)
return 'in'
