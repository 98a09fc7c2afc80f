import { Cluster } from 'ioredis'
import type { RedisCommands } from './open-redis.ts'

const AT_ONCE = 1_000

/**
 * Removes what Redis keeps of a tenant: the history of live messages and cached reports. Live clients that resume are told
 * that messages may be lost, and reports are computed again.
 *
 * @param what everything, or all but the names of batches that were published lately, so that none is published twice
 * @returns how many keys are gone
 * @throws when Redis does not answer; it can be called again
 */
export async function forgetTenantInRedis(
  commands: RedisCommands,
  tenantId: string,
  what: 'content' | 'everything',
): Promise<number> {
  const prefix = `hw:{${tenantId}}:`
  let gone = 0
  for (const node of commands instanceof Cluster ? commands.nodes('master') : [commands]) {
    let cursor = '0'
    do {
      const [next, found] = await node.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', AT_ONCE)
      cursor = next
      const keys = found.filter((key) => what === 'everything' || key !== `${prefix}live:appended`)
      // They share a hash tag, so one command may name them all.
      if (keys.length > 0) gone += Number(await commands.unlink(keys))
    } while (cursor !== '0')
  }
  return gone
}
