import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { figure, lines } from '../panels/panel.ts'
import { below, courseOnly, isUp, none, ofLimitAt } from '../panels/thresholds.ts'
import * as redis from '../queries/redis.ts'
import type { Board } from './board.ts'

export const redisBoard: Board = {
  name: 'redis',
  title: 'Hopwhistle: Redis',
  description: 'The cache of reports, the history of live messages, and the messages between instances.',
  rows: [
    {
      title: 'Memory and clients',
      panels: [
        figure({
          title: 'Redis up',
          unit: 'none',
          description: 'Whether it answers its exporter. Good is 1.',
          thresholds: isUp,
          queries: [redis.up],
          runbook: 'redis-down',
        }),
        figure({
          title: 'Redis as the API sees it',
          unit: 'none',
          description:
            'By API instance: 1 when it answers. Good is 1. Without Redis, events are accepted and delivered later.',
          thresholds: isUp,
          queries: [redis.seenByApi],
          runbook: 'redis-down',
          width: 12,
        }),
        figure({
          title: 'Keys found',
          unit: 'percentunit',
          description:
            'The share of look-ups that found a key. Good is high, where few tenants repeat the same requests.',
          thresholds: courseOnly,
          queries: [redis.hitRatio],
          width: 8,
        }),
        lines({
          title: 'Memory',
          unit: 'bytes',
          description: `Good is below 80 % of maxmemory, ${LIMITS.redis_memory.value / 1024 ** 3} GiB, whatever memory the machine has.`,
          thresholds: ofLimitAt(LIMITS.redis_memory.value),
          queries: [redis.memory, redis.maxMemory],
          runbook: 'redis-memory',
        }),
        lines({
          title: 'Keys evicted',
          unit: 'none',
          description:
            'Keys evicted because memory is full. Good is none: cached reports are evicted first, then live history.',
          thresholds: none,
          queries: [redis.evicted],
          runbook: 'redis-evictions',
        }),
        lines({
          title: 'Clients',
          unit: 'none',
          description: `Good is two for each API instance and a few more; ${LIMITS.redis_connections.value} is the limit.`,
          thresholds: ofLimitAt(LIMITS.redis_connections.value),
          queries: [redis.clients],
          runbook: 'limit-near',
        }),
        lines({
          title: 'Connections refused',
          unit: 'none',
          description: 'Refused because maxclients was reached. Good is none.',
          thresholds: none,
          queries: [redis.refused],
          runbook: 'limit-near',
        }),
        lines({
          title: 'Keys expired',
          unit: 'ops',
          description: 'Cached reports and live history that expired. Good follows the load.',
          thresholds: courseOnly,
          queries: [redis.expired],
        }),
        lines({
          title: 'Channels',
          unit: 'none',
          description: 'One for each tenant with a subscriber. Good follows the number of such tenants.',
          thresholds: courseOnly,
          queries: [redis.channels],
        }),
      ],
    },
    {
      title: 'Work',
      panels: [
        lines({
          title: 'Commands',
          unit: 'ops',
          description: 'The eight most frequent. Good follows the load.',
          thresholds: courseOnly,
          queries: [redis.commands],
        }),
        lines({
          title: 'Time a command, mean',
          unit: 's',
          description: 'The eight slowest. Good is below 1 ms: Redis runs one command at a time, and all others wait.',
          thresholds: below(0.001),
          queries: [redis.commandTime],
          runbook: 'live-burn',
        }),
        lines({
          title: 'CPU',
          unit: 'cores',
          description: 'Good is below 0.8: Redis uses one core.',
          thresholds: below(1),
          queries: [redis.cpu],
        }),
        lines({
          title: 'Network',
          unit: 'Bps',
          description: 'Good is out = in × API instances: each instance gets each message once.',
          thresholds: courseOnly,
          queries: [redis.networkIn, redis.networkOut],
          width: 24,
        }),
      ],
    },
  ],
}
