import { askServices } from './ask-services.ts'
import type { TestRedis } from './services.ts'

export type FreshRedis = TestRedis & {
  /** As a crash would: what it held is gone. */
  stop(): Promise<void>
  /** Starts it again on the same port, empty. */
  start(): Promise<void>
}

/**
 * A Redis server of one's own: keys could be kept apart by their database, but channels cannot, and a server takes
 * a few milliseconds to start. It need not be stopped: the test run does that.
 */
export async function freshRedis(): Promise<FreshRedis> {
  const redis = await askServices<TestRedis>('redis')
  return {
    ...redis,
    stop: () => askServices<void>('stop-redis', redis.id),
    start: () => askServices<void>('start-redis', redis.id),
  }
}
