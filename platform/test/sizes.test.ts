import { LIMITS } from '@hopwhistle/contract/limits.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { GIB, MIB, NUMBERS } from '../settings/arithmetic.ts'
import { POSTGRES_MEMORY_BYTES, postgresConf, postgresMemoryOn, postgresSettings } from '../settings/postgres.ts'
import { maxMemoryBytes, REDIS_MEMORY_BYTES, redisConf, redisSettings } from '../settings/redis.ts'

const megabytes = (setting: string | undefined) => Number(/^(\d+)MB$/.exec(setting ?? '')?.[1])
const memory = fc.integer({ min: 256, max: 512 * 1024 }).map((mebibytes) => mebibytes * MIB)

test('a larger Postgres gets more of everything, and a small one still starts', () => {
  const sizes = (memoryBytes: number) => {
    const { shared_buffers, effective_cache_size, work_mem, maintenance_work_mem } = postgresSettings(
      { memoryBytes },
      NUMBERS,
    )
    return [shared_buffers, effective_cache_size, work_mem, maintenance_work_mem]
  }
  expect(sizes(256 * MIB)).toEqual(['64MB', '192MB', '4MB', '32MB'])
  expect(sizes(2 * GIB)).toEqual(['512MB', '1536MB', '15MB', '128MB'])
  expect(sizes(16 * GIB)).toEqual(['4096MB', '12288MB', '64MB', '1024MB'])
})

test('the pages and the sorts of all connections together fit the memory of any Postgres that is not tiny', () => {
  fc.assert(
    fc.property(memory, fc.integer({ min: 20, max: 400 }), (memoryBytes, maxConnections) => {
      const { shared_buffers, work_mem } = postgresSettings({ memoryBytes, maxConnections }, NUMBERS)
      // Never less than Postgres's own default of 4 MB.
      fc.pre(megabytes(work_mem) > 4)
      const used = megabytes(shared_buffers) + megabytes(work_mem) * maxConnections
      expect(used * MIB).toBeLessThanOrEqual(memoryBytes)
    }),
  )
})

test('a Postgres on a machine that it shares has what it has elsewhere, or a quarter of a small machine', () => {
  expect(postgresMemoryOn(24 * GIB)).toBe(POSTGRES_MEMORY_BYTES)
  expect(postgresMemoryOn(8 * GIB)).toBe(POSTGRES_MEMORY_BYTES)
  expect(postgresMemoryOn(4 * GIB)).toBe(GIB)
})

test('a Redis may hold four fifths of its memory, with the usual memory what the contract promises', () => {
  expect(maxMemoryBytes(REDIS_MEMORY_BYTES, NUMBERS)).toBe(LIMITS.redis_memory.value)
  expect(redisSettings({ memoryBytes: 160 * MIB }, NUMBERS).maxmemory).toBe(`${128 * MIB}`)
})

test('unread messages of stalled subscribers stay small, compared with maxmemory', () => {
  const limit = (memoryBytes: number) => redisSettings({ memoryBytes }, NUMBERS)['client-output-buffer-limit']
  expect(limit(REDIS_MEMORY_BYTES)).toBe(`pubsub ${32 * MIB} ${8 * MIB} 60`)
  expect(limit(160 * MIB)).toBe(`pubsub ${8 * MIB} ${2 * MIB} 60`)
  expect(limit(64 * GIB)).toBe(`pubsub ${32 * MIB} ${8 * MIB} 60`)
})

test('a value with a quote, and one that is empty, survive in the configuration files', () => {
  expect(postgresConf({ primary_conninfo: "user='a'" })).toBe("primary_conninfo = 'user=''a'''\n")
  expect(redisConf({ save: '', appendonly: 'no' })).toBe('save ""\nappendonly no\n')
})
