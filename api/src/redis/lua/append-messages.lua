-- Appends one batch of messages to a tenant's log and publishes it.
-- KEYS: 1 head, 2 history, 3 marks, 4 appended
-- ARGV: 1 new epoch, 2 batch, 3 messages in it, 4 body, 5 channel, 6 PUBLISH or SPUBLISH,
--       7 most messages in the history, 8 how long they are kept (ms), 9 how long a batch is remembered (ms)
-- Returns the first and the last offset of the batch, or nothing when it had been appended before.
local epoch, offset = head(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

if redis.call('ZADD', KEYS[4], 'NX', now, ARGV[2]) == 0 then return {} end
redis.call('PEXPIRE', KEYS[4], ARGV[9])

local from, to = offset + 1, offset + tonumber(ARGV[3])
redis.call('HSET', KEYS[1], 'offset', whole(to))

local keepMessages, keepMs = tonumber(ARGV[7]), tonumber(ARGV[8])
if keepMessages > 0 then
  -- One entry a batch, named by its last offset: a range of offsets is a range of entries.
  local oldest = whole(math.max(0, to - keepMessages + 1))
  redis.call('XADD', KEYS[2], 'MINID', '~', oldest, whole(to), 'from', whole(from), 'body', ARGV[4])
  redis.call('PEXPIRE', KEYS[2], ARGV[8])
end

-- Marks say which offset was reached when, a few of them per history, so that age costs next to nothing.
local newest = redis.call('ZRANGE', KEYS[3], -1, -1, 'WITHSCORES')
if not newest[2] or now - tonumber(newest[2]) >= keepMs / 16 then
  local outdated = redis.call('ZRANGE', KEYS[3], whole(now - keepMs), '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, 1)
  if outdated[1] then redis.call('XTRIM', KEYS[2], 'MINID', '~', whole(tonumber(outdated[1]) + 1)) end
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', whole(now - keepMs))
  redis.call('ZADD', KEYS[3], whole(now), whole(offset))
  redis.call('PEXPIRE', KEYS[3], 2 * keepMs)
  redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', whole(now - tonumber(ARGV[9])))
end

redis.call(ARGV[6], ARGV[5], epoch .. ' ' .. whole(from) .. ' ' .. whole(to) .. '\n' .. ARGV[4])
return { from, to }
