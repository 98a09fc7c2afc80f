-- Reads a tenant's log: where it is, and what follows an offset.
-- KEYS: 1 head, 2 history, 3 marks
-- ARGV: 1 new epoch, 2 offset after which to read, -1 for none, 3 about how many bytes
-- Returns {epoch, offset, from, to, body, from, to, body, …}, whole batches in order.
local epoch, offset = head(ARGV[1])
local answer = { epoch, offset }
local after, room = tonumber(ARGV[2]), tonumber(ARGV[3])
if after < 0 then return answer end

local AT_ONCE = 32
while room > 0 and after < offset do
  local entries = redis.call('XRANGE', KEYS[2], whole(after + 1), '+', 'COUNT', AT_ONCE)
  for _, entry in ipairs(entries) do
    after = tonumber(string.match(entry[1], '^%d+'))
    local from, body = tonumber(entry[2][2]), entry[2][4]
    answer[#answer + 1] = from
    answer[#answer + 1] = after
    answer[#answer + 1] = body
    room = room - #body
    if room <= 0 then break end
  end
  if #entries < AT_ONCE then break end
end
return answer
