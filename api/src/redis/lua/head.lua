-- The head of a tenant's log: {epoch, offset}. KEYS: 1 head, 2 history, 3 marks. Comes before the other scripts.
--
-- Offsets say nothing without their epoch. A new one begins where there was none (Redis is new, or lost everything),
-- and where the data may have gone back in time and offsets would be given out twice: a restart from a snapshot and a
-- promoted replica both change the server's replication id.
local function head(newEpoch)
  local info = redis.pcall('INFO', 'replication')
  local source = type(info) == 'string' and string.match(info, 'master_replid:(%x+)') or 'unknown'
  local known = redis.call('HMGET', KEYS[1], 'epoch', 'offset', 'source')
  if known[1] and known[3] == source then return known[1], tonumber(known[2]) end
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
  redis.call('HSET', KEYS[1], 'epoch', newEpoch, 'offset', 0, 'source', source)
  return newEpoch, 0
end

-- Lua writes large numbers as 1e+15.
local function whole(number)
  return string.format('%.0f', number)
end
