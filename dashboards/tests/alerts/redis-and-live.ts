import { type AlertCase, AT_LABELS, counts, stays } from './alert-case.ts'

const GIB = 1024 ** 3
const redis = 'instance="redis"'
const memory = (usedBytes: number, maxBytes = 2 * GIB) => [
  stays('redis_memory_used_bytes', redis, usedBytes),
  stays('redis_memory_max_bytes', redis, maxBytes),
]

export const redisAndLiveCases: readonly AlertCase[] = [
  {
    alert: 'RedisDown',
    fires: [stays('redis_up', redis, 0), stays('hopwhistle_redis_up', 'instance="api-1"', 1)],
    isQuiet: [stays('redis_up', redis, 1), stays('hopwhistle_redis_up', 'instance="api-1"', 1)],
    afterMinutes: 3,
    labels: { ...AT_LABELS, severity: 'page' },
    says: 'The Redis of prod/hw does not answer',
  },
  {
    alert: 'RedisDown',
    // The exporter reaches Redis, an instance does not.
    fires: [stays('redis_up', redis, 1), stays('hopwhistle_redis_up', 'instance="api-1"', 0)],
    isQuiet: [['hopwhistle_redis_up{namespace="prod", release="hw", instance="api-1"}', '1 1 0 1x10']],
    afterMinutes: 3,
    labels: { ...AT_LABELS, severity: 'page' },
    says: 'The Redis of prod/hw does not answer',
  },
  {
    alert: 'RedisMemory',
    fires: memory(1.8 * GIB),
    // Without maxmemory there is no limit.
    isQuiet: [...memory(1.5 * GIB), stays('redis_memory_max_bytes', 'instance="other"', 0)],
    afterMinutes: 10,
    labels: { ...AT_LABELS, instance: 'redis', severity: 'ticket' },
    says: 'The Redis of prod/hw uses 90% of maxmemory',
  },
  {
    alert: 'RedisEvictions',
    fires: [counts('redis_evicted_keys_total', redis, 60)],
    isQuiet: [stays('redis_evicted_keys_total', redis, 4_000)],
    afterMinutes: 12,
    labels: { ...AT_LABELS, instance: 'redis', severity: 'ticket' },
    says: 'The Redis of prod/hw evicted 600 keys',
  },
  {
    alert: 'LiveGaps',
    // The first gap ever: its series existed before, with 0.
    fires: [
      ['hopwhistle_live_gaps_total{namespace="prod", release="hw", instance="api-1", result="reset"}', '0x8 1x10'],
    ],
    isQuiet: [counts('hopwhistle_live_gaps_total', 'instance="api-1", result="filled"', 1)],
    afterMinutes: 12,
    labels: { ...AT_LABELS, severity: 'ticket' },
    says: 'Subscribers of prod/hw were told 1 times that they may have missed messages',
  },
  {
    alert: 'SlowReaders',
    fires: [counts('hopwhistle_live_closed_total', 'instance="api-1", reason="slow-reader"', 2)],
    isQuiet: [
      [
        'hopwhistle_live_closed_total{namespace="prod", release="hw", instance="api-1", reason="slow-reader"}',
        '0x5 3x20',
      ],
      counts('hopwhistle_live_closed_total', 'instance="api-1", reason="client"', 50),
    ],
    afterMinutes: 12,
    labels: { ...AT_LABELS, severity: 'ticket' },
    says: 'prod/hw closed 20 sockets of subscribers that read too slowly',
  },
]
