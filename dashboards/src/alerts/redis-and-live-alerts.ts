import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { select } from '../promql.ts'
import { remembering, type Scale, scaled } from '../scale.ts'
import { type Alert, RELEASE } from './alert.ts'

const release = '{{ $labels.namespace }}/{{ $labels.release }}'
const byRelease = `by (${RELEASE.join(', ')})`
const byInstance = 'by (namespace, release, instance)'

export const redisAndLiveAlerts = (scale: Scale): readonly Alert[] => [
  {
    name: 'RedisDown',
    severity: 'page',
    by: RELEASE,
    when: [
      [{ query: `min ${byRelease} (redis_up)`, is: '<', value: 1 }],
      [{ query: `min ${byRelease} (${METRICS.redisUp})`, is: '<', value: 1 }],
    ],
    lasting: scaled('1m', scale),
    needs: 'stack',
    summary: `The Redis of ${release} does not answer`,
    meaning:
      'Events are still accepted. Live subscribers receive nothing until it is back, and reports are not cached.',
    runbook: 'redis-down',
    board: 'redis',
  },
  {
    name: 'RedisMemory',
    severity: 'ticket',
    by: [...RELEASE, 'instance'],
    when: [
      [
        {
          // Of maxmemory, not of the machine: at maxmemory Redis evicts keys.
          query: `max ${byInstance} (redis_memory_used_bytes / (redis_memory_max_bytes > 0))`,
          is: '>',
          value: 0.8,
        },
      ],
    ],
    lasting: scaled('5m', scale),
    needs: 'stack',
    summary: `The Redis of ${release} uses {{ $value | humanizePercentage }} of maxmemory`,
    meaning: 'At 100 % it evicts keys: cached reports first, then the history that live clients resume from.',
    runbook: 'redis-memory',
    board: 'redis',
  },
  {
    name: 'RedisEvictions',
    severity: 'ticket',
    by: [...RELEASE, 'instance'],
    when: [
      [
        {
          query: `sum ${byInstance} (increase(redis_evicted_keys_total[${remembering('10m', '1m', scale)}]))`,
          is: '>',
          value: 0,
        },
      ],
    ],
    lasting: scaled('1m', scale),
    needs: 'stack',
    summary: `The Redis of ${release} evicted {{ $value | printf "%.0f" }} keys`,
    meaning: 'Reports are computed again, and clients that resume may be told that they missed messages.',
    runbook: 'redis-evictions',
    board: 'redis',
  },
  {
    name: 'LiveGaps',
    severity: 'ticket',
    by: RELEASE,
    when: [
      [
        {
          query: `sum ${byRelease} (increase(${select(METRICS.liveGaps, { result: 'reset' })}[${remembering('10m', '1m', scale)}]))`,
          is: '>',
          value: 0,
        },
      ],
    ],
    lasting: scaled('1m', scale),
    needs: 'stack',
    summary: `Subscribers of ${release} were told {{ $value | printf "%.0f" }} times that they may have missed messages`,
    meaning: 'No gap is silent, but after each, every subscriber of that tenant has to load its calls again.',
    runbook: 'live-gaps',
    board: 'live',
  },
  {
    name: 'SlowReaders',
    severity: 'ticket',
    by: RELEASE,
    when: [
      [
        {
          query: `sum ${byRelease} (increase(${select(METRICS.liveClosed, { reason: 'slow-reader' })}[${remembering('10m', '1m', scale)}]))`,
          is: '>',
          value: 5,
        },
      ],
    ],
    lasting: scaled('1m', scale),
    needs: 'stack',
    summary: `${release} closed {{ $value | printf "%.0f" }} sockets of subscribers that read too slowly`,
    meaning: 'Other subscribers are not slowed down. These clients reconnect, and fall behind again.',
    runbook: 'slow-readers',
    board: 'live',
  },
]
