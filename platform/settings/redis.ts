/**
 * The settings of every Redis, defined once: see postgres.ts. It keeps nothing on disk: what it holds can be computed
 * again, and live clients are told when they missed something. Port, addresses and password are added by each place.
 */
import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { type Arithmetic, MIB, within } from './arithmetic.ts'
import type { Settings } from './postgres.ts'

/** `N` is a number, or in a chart what stands for one. */
export type RedisServer<N> = {
  /** All that the process may use; in a container its limit. */
  readonly memoryBytes: N
  readonly maxClients?: N
}

/** With it `maxmemory` is the limit of the contract: 2560 MiB for 2 GiB. */
export const REDIS_MEMORY_BYTES = (LIMITS.redis_memory.value / 4) * 5

/** The fifth that is left is for fragmentation and for the process itself, which `maxmemory` does not count. */
export function maxMemoryBytes<N>(memoryBytes: N, by: Arithmetic<N>): N {
  return by.quotient(by.product(memoryBytes, 4), 5)
}

export function redisSettings<N>({ memoryBytes, maxClients }: RedisServer<N>, by: Arithmetic<N>): Settings {
  const maxMemory = maxMemoryBytes(memoryBytes, by)
  // Redis's own 32 MiB at 2 GiB, and less in a smaller one, where the unread messages of a few stalled instances would
  // evict everything else, because they count as used memory.
  const unreadBytes = within(by, { least: 8 * MIB, most: 32 * MIB }, by.quotient(maxMemory, 64))
  return {
    save: '',
    appendonly: 'no',
    maxmemory: `${maxMemory}`,
    // Full memory must neither stop live delivery, as `noeviction` would by refusing writes, nor evict what has no expiry,
    // such as a tenant's offset. What would expire soonest goes first: cached reports, long before live history.
    'maxmemory-policy': 'volatile-ttl',
    maxclients: `${maxClients ?? LIMITS.redis_connections.value}`,
    // An API instance that does not read is disconnected, at once past the first size, after a minute past the second.
    // It subscribes again and its clients recover from the history.
    'client-output-buffer-limit': `pubsub ${unreadBytes} ${by.quotient(unreadBytes, 4)} 60`,
    // `latency latest` then has something to say: docs/troubleshooting.md asks it.
    'latency-monitor-threshold': '5',
  }
}

/** Lines of a redis.conf. */
export function redisConf(settings: Settings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value === '' ? '""' : value}\n`)
    .join('')
}

/** Arguments for `redis-server`. */
export function redisArguments(settings: Settings): readonly string[] {
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
}
