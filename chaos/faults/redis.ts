import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { type Fault, freeze } from './fault.ts'

const FROZEN_MS = 20_000
const AWAY_MS = 10_000
const FULL_MS = 10_000

export const redisFrozen: Fault = {
  name: 'redis-frozen',
  title: `Redis frozen (SIGSTOP) for ${FROZEN_MS / 1000} s`,
  needs: 'servers',
  inflict: ({ servers: { redis } }) => freeze(redis, FROZEN_MS),
}

export const redisKilled: Fault = {
  name: 'redis-killed',
  title: `Redis killed (SIGKILL), and back after ${AWAY_MS / 1000} s, empty`,
  needs: 'servers',
  inflict: async ({ servers: { redis } }) => {
    await redis.stop('SIGKILL')
    await sleep(AWAY_MS)
    await redis.start()
  },
}

/** Redis first evicts every key that it may, and then refuses every write. */
export const redisFull: Fault = {
  name: 'redis-full',
  title: `Redis out of memory for ${FULL_MS / 1000} s`,
  needs: 'servers',
  inflict: async ({ urls }) => {
    const redis = new Redis(urls.redis)
    try {
      const [, before = '0'] = (await redis.config('GET', 'maxmemory')) as string[]
      await redis.config('SET', 'maxmemory', '1')
      await sleep(FULL_MS).finally(() => redis.config('SET', 'maxmemory', before))
    } finally {
      redis.disconnect()
    }
  },
}
