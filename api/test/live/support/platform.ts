import { onTestFinished } from 'vitest'
import { freshRedis } from '../../../../platform/test-support/fresh-redis.ts'
import type { MemoryBudget } from '../../../src/config/memory-budget.ts'
import type { LiveSettings } from '../../../src/live/live.ts'
import { openClient } from './client.ts'
import { startInstance } from './instance.ts'

/** A Redis of the test's own and some instances; all of it is stopped when the test ends. */
export async function platform(
  options: { instances?: number; settings?: Partial<LiveSettings>; memory?: Partial<MemoryBudget> } = {},
) {
  const redis = await freshRedis()
  const start = async (settings = options.settings) => {
    const instance = await startInstance({ redisUrl: redis.url }, settings, options.memory)
    onTestFinished(() => instance.stop())
    return instance
  }
  const [one, two] = await Promise.all([start(), start()].slice(0, Math.max(2, options.instances ?? 2)))
  const client = (instance = one!, key?: string, headers?: Record<string, string>) => {
    const opened = openClient(instance.url, key, headers)
    onTestFinished(() => opened.cut())
    return opened
  }
  return { redis, one: one!, two: two!, start, client }
}
