-- Appends batches of messages to a tenant's log and publishes those that are new, together.
-- KEYS: 1 head, 2 history, 3 marks, 4 appended
-- ARGV: 1 new epoch, 2 channel, 3 PUBLISH or SPUBLISH, 4 most messages in the history, 5 how long they are kept (ms),
--       6 how long a batch is remembered (ms), then for each batch: its name, how many messages, their body
-- Returns how many messages were new. An error leaves nothing behind: a batch that is remembered and
-- not in the log would never be appended.
local FIRST_BATCH = 7
local epoch, offset = head(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local keepMessages, keepMs, rememberMs = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

-- Marks say which offset was reached when, a few of them per history, so that age costs next to nothing.
local newest = redis.call('ZRANGE', KEYS[3], -1, -1, 'WITHSCORES')

local names, bodies, count = {}, {}, 0
for i = FIRST_BATCH, #ARGV, 3 do
  if redis.call('ZADD', KEYS[4], 'NX', now, ARGV[i]) == 1 then
    count = count + tonumber(ARGV[i + 1])
    names[#names + 1] = ARGV[i]
    bodies[#bodies + 1] = ARGV[i + 2]
  end
end
if count == 0 then return 0 end

local from, to, body = offset + 1, offset + count, table.concat(bodies, '\n')
if keepMessages > 0 then
  -- Named by its last offset: a range of offsets is a range of entries.
  local oldest = whole(math.max(0, to - keepMessages + 1))
  local added = redis.pcall('XADD', KEYS[2], 'MINID', '~', oldest, whole(to), 'from', whole(from), 'body', body)
  if type(added) == 'table' and added.err then
    redis.call('ZREM', KEYS[4], unpack(names))
    return added
  end
  redis.call('PEXPIRE', KEYS[2], keepMs)
end
redis.call('PEXPIRE', KEYS[4], rememberMs)
redis.call('HSET', KEYS[1], 'offset', whole(to))

if not newest[2] or now - tonumber(newest[2]) >= keepMs / 16 then
  local outdated = redis.call('ZRANGE', KEYS[3], whole(now - keepMs), '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, 1)
  if outdated[1] then redis.call('XTRIM', KEYS[2], 'MINID', '~', whole(tonumber(outdated[1]) + 1)) end
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', whole(now - keepMs))
  redis.call('ZADD', KEYS[3], whole(now), whole(offset))
  redis.call('PEXPIRE', KEYS[3], 2 * keepMs)
  redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', whole(now - rememberMs))
end

redis.call(ARGV[3], ARGV[2], epoch .. ' ' .. whole(from) .. ' ' .. whole(to) .. '\n' .. body)
return count
