/**
 * The settings of every Redis, defined once: see postgres.ts. It stores nothing on disk: its data can be computed again,
 * and live clients are told when they missed something. Each place adds port, addresses and password.
 */
import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { type Arithmetic, MIB, within } from './arithmetic.ts'
import type { Settings } from './postgres.ts'

/** `N` is a number, or in a chart an expression for one. */
export type RedisServer<N> = {
  /** All memory that the process may use; in a container its limit. */
  readonly memoryBytes: N
  readonly maxClients?: N
}

/** Gives the `maxmemory` of the contract: 2560 MiB for 2 GiB. */
export const REDIS_MEMORY_BYTES = (LIMITS.redis_memory.value / 4) * 5

/** The remaining fifth is for fragmentation and the process itself, which `maxmemory` does not count. */
export function maxMemoryBytes<N>(memoryBytes: N, by: Arithmetic<N>): N {
  return by.quotient(by.product(memoryBytes, 4), 5)
}

export function redisSettings<N>({ memoryBytes, maxClients }: RedisServer<N>, by: Arithmetic<N>): Settings {
  const maxMemory = maxMemoryBytes(memoryBytes, by)
  // Redis's default of 32 MiB at 2 GiB, and less in a smaller Redis: unread messages count as used memory, so a few
  // stalled instances would evict everything else.
  const unreadBytes = within(by, { least: 8 * MIB, most: 32 * MIB }, by.quotient(maxMemory, 64))
  return {
    save: '',
    appendonly: 'no',
    maxmemory: `${maxMemory}`,
    // When memory is full, live delivery must go on: `noeviction` would refuse writes. Keys without expiry, such as a
    // tenant's offset, must stay. Redis evicts what expires soonest: cached reports, long before live history.
    'maxmemory-policy': 'volatile-ttl',
    maxclients: `${maxClients ?? LIMITS.redis_connections.value}`,
    // Disconnects an API instance that does not read: at once above the first size, after a minute above the second. It
    // subscribes again, and its clients recover from the history.
    'client-output-buffer-limit': `pubsub ${unreadBytes} ${by.quotient(unreadBytes, 4)} 60`,
    // For `latency latest` in docs/troubleshooting.md.
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
