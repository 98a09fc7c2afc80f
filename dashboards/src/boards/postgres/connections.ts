import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { lines } from '../../panels/panel.ts'
import { below, courseOnly, ofLimitAt } from '../../panels/thresholds.ts'
import { limitOf, usageOf } from '../../queries/limits.ts'
import * as pools from '../../queries/pools.ts'
import * as pg from '../../queries/postgres.ts'
import type { BoardRow } from '../board.ts'

export const connections: BoardRow = {
  title: 'Connections',
  panels: [
    lines({
      title: 'Connections of the primary',
      unit: 'none',
      description: `All clients together. Good is below 80 % of max_connections, ${LIMITS.postgres_connections.value}.`,
      thresholds: ofLimitAt(LIMITS.postgres_connections.value),
      queries: [usageOf('postgres_connections'), limitOf('postgres_connections')],
      runbook: 'limit-near',
    }),
    lines({
      title: 'Pools of the API',
      unit: 'none',
      description:
        'Connections of all instances, by pool. Good is fewer busy than idle ones. Ingest and reports have separate pools.',
      thresholds: courseOnly,
      queries: [pools.connections],
      stacked: true,
      runbook: 'pool-waits',
    }),
    lines({
      title: 'Queries waiting for a connection',
      unit: 'none',
      description: 'Good is 0 nearly always: these queries wait before they reach Postgres.',
      thresholds: below(10),
      queries: [pools.waiting],
      runbook: 'pool-waits',
    }),
    lines({
      title: 'Wait for a connection, p95',
      unit: 's',
      description: 'Good is below 10 ms; from 100 ms on the pool is the bottleneck.',
      thresholds: below(0.1),
      queries: [pools.wait],
      runbook: 'pool-waits',
    }),
    lines({
      title: 'Sessions',
      unit: 'none',
      description: 'State of the sessions. Good is few active ones, and none idle in a transaction for long.',
      thresholds: courseOnly,
      queries: [pg.sessions],
      stacked: true,
    }),
    lines({
      title: 'What busy sessions wait for',
      unit: 'none',
      description:
        'Good is CPU, which is work. IO is the disk, Lock another session, LWLock and IPC contention inside the server.',
      thresholds: courseOnly,
      queries: [pg.waits],
      stacked: true,
    }),
  ],
}
