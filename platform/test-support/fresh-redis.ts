import { askServices } from './ask-services.ts'
import type { TestRedis } from './services.ts'

export type FreshRedis = TestRedis & {
  /** Like a crash: its data is lost. */
  stop(): Promise<void>
  /** Starts it again on the same port, empty. */
  start(): Promise<void>
}

/**
 * Starts a Redis server for this test. Databases would separate keys, but not channels, and a server starts within
 * milliseconds. It need not be stopped: the test run does that.
 */
export async function freshRedis(): Promise<FreshRedis> {
  const redis = await askServices<TestRedis>('redis')
  return {
    ...redis,
    stop: () => askServices<void>('stop-redis', redis.id),
    start: () => askServices<void>('start-redis', redis.id),
  }
}
