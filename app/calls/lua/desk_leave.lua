-- ARGV: call. Gone for good, from wherever it is. Answers 'now', 'before' or 'never_waited'.
local call = ARGV[1]
local answer = is_past('left', call) and 'before' or 'never_waited'
if leave_line(call) then answer = 'now' end
if in_house(call) then remember('over', call) elseif answer == 'now' then remember('left', call) end
leave_house(call)
return answer
