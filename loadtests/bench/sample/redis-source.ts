import { Redis } from 'ioredis'
import type { RedisCommandEvidence, RedisEvidence } from './server-evidence.ts'
import type { Source } from './source.ts'

const ANSWER_WITHIN_MS = 1_500
const COMMANDS_KEPT = 15

/** Reads INFO of one Redis. Its statistics are set back at the beginning. */
export function redisSource(url: string): Source<RedisEvidence> {
  const redis = new Redis(url, {
    connectionName: 'hopwhistle-bench',
    lazyConnect: true,
    commandTimeout: ANSWER_WITHIN_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 1_000,
  })
  redis.on('error', () => {})
  let newest: Info | undefined

  return {
    async begin() {
      await redis.connect()
      await redis.config('RESETSTAT')
    },
    async sample(recorder) {
      const info = await redis.info().then(parseInfo, () => undefined)
      newest = info ?? newest
      const number = (name: string) => (info === undefined ? null : Number(info.get(name) ?? 0))
      recorder.gauge('clients', number('connected_clients'))
      recorder.gauge('blocked', number('blocked_clients'))
      recorder.gauge('memory', number('used_memory'))
      recorder.gauge('channels', number('pubsub_channels'))
      recorder.gauge('patterns', number('pubsub_patterns'))
      recorder.gauge('shard channels', number('pubsubshard_channels'))
      recorder.gauge('output buffer', number('client_recent_max_output_buffer'))
      recorder.growth('commands', number('total_commands_processed'))
      recorder.growth('input', number('total_net_input_bytes'))
      recorder.growth('output', number('total_net_output_bytes'))
      const user = number('used_cpu_user')
      const system = number('used_cpu_sys')
      recorder.growth('cpu', user === null || system === null ? null : user + system)
    },
    async end(recorder) {
      if (newest === undefined) return undefined
      const last = await redis.info('all').then(parseInfo, () => newest!)
      const number = (name: string) => Number(last.get(name) ?? 0)
      return {
        version: last.get('redis_version') ?? 'unknown',
        maxMemoryBytes: number('maxmemory'),
        maxClients: number('maxclients'),
        maxMemoryPolicy: last.get('maxmemory_policy') ?? 'unknown',
        clients: recorder.series('clients'),
        blockedClients: recorder.series('blocked'),
        memoryBytes: recorder.series('memory'),
        commandsPerSecond: recorder.series('commands'),
        inputBytesPerSecond: recorder.series('input'),
        outputBytesPerSecond: recorder.series('output'),
        channels: recorder.series('channels'),
        patterns: recorder.series('patterns'),
        shardChannels: recorder.series('shard channels'),
        cpuCores: recorder.series('cpu'),
        largestOutputBufferBytes: recorder.series('output buffer'),
        evictedKeys: number('evicted_keys'),
        expiredKeys: number('expired_keys'),
        rejectedConnections: number('rejected_connections'),
        keyspaceHits: number('keyspace_hits'),
        keyspaceMisses: number('keyspace_misses'),
        commands: commandsOf(last),
      }
    },
    close: async () => redis.disconnect(),
  }
}

type Info = ReadonlyMap<string, string>

export function parseInfo(text: string): Info {
  return new Map(
    text
      .split(/\r?\n/)
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  )
}

/** `cmdstat_get:calls=21,usec=175,usec_per_call=8.33,rejected_calls=0,failed_calls=0`, most time first. */
function commandsOf(info: Info): readonly RedisCommandEvidence[] {
  return [...info]
    .filter(([name]) => name.startsWith('cmdstat_'))
    .map(([name, text]) => {
      const command = name.slice('cmdstat_'.length)
      const stats = fields(text)
      const p99 = fields(info.get(`latency_percentiles_usec_${command}`) ?? '').get('p99')
      return {
        command,
        calls: stats.get('calls') ?? 0,
        meanMicroseconds: stats.get('usec_per_call') ?? 0,
        ...(p99 === undefined ? {} : { p99Microseconds: p99 }),
        failed: (stats.get('failed_calls') ?? 0) + (stats.get('rejected_calls') ?? 0),
      }
    })
    .sort((a, b) => b.calls * b.meanMicroseconds - a.calls * a.meanMicroseconds)
    .slice(0, COMMANDS_KEPT)
}

function fields(text: string): ReadonlyMap<string, number> {
  return new Map(text.split(',').map((field) => [field.slice(0, field.indexOf('=')), Number(field.split('=')[1])]))
}
