import type { ServerEvidence } from '../sample/server-evidence.ts'
import type { During } from './during.ts'
import type { RedisFacts } from './facts.ts'
import { known, statOf } from './stat.ts'

/** @returns undefined when Redis was not sampled */
export function redisFacts({ redis }: ServerEvidence, during: During): RedisFacts | undefined {
  if (redis === undefined) return undefined
  const [channels, patterns, shards] = [during(redis.channels), during(redis.patterns), during(redis.shardChannels)]
  const samples = Math.max(channels.length, patterns.length, shards.length)
  const at = (values: readonly number[], i: number) => values[i] ?? values.at(-1) ?? 0
  return known({
    version: redis.version,
    maxClients: redis.maxClients,
    maxMemoryBytes: redis.maxMemoryBytes,
    clients: statOf(during(redis.clients)),
    memoryBytes: statOf(during(redis.memoryBytes)),
    cpuCores: statOf(during(redis.cpuCores)),
    commandsPerSecond: statOf(during(redis.commandsPerSecond)),
    outputBytesPerSecond: statOf(during(redis.outputBytesPerSecond)),
    channels: statOf(Array.from({ length: samples }, (_, i) => at(channels, i) + at(patterns, i) + at(shards, i))),
    largestOutputBufferBytes: statOf(during(redis.largestOutputBufferBytes)),
    evictedKeys: redis.evictedKeys,
    rejectedConnections: redis.rejectedConnections,
  })
}
