-- ARGV: for each call its id, and the ms that its slot is still kept for another stream.
for i = 1, #ARGV, 2 do
  local call, hold = ARGV[i], tonumber(ARGV[i + 1])
  if hold > 0 and in_house(call) then
    keep(call, '', hold, true)
  else
    leave_house(call)
  end
end
return ''
