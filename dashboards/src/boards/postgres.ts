import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { figure, lines, table } from '../panels/panel.ts'
import { above, below, courseOnly, isUp, none, ofLimitAt } from '../panels/thresholds.ts'
import { limitOf, usageOf } from '../queries/limits.ts'
import * as pools from '../queries/pools.ts'
import * as pg from '../queries/postgres.ts'
import type { Board } from './board.ts'

const GIB = 1024 ** 3
/** Of the charts and of the local stack: max_slot_wal_keep_size. */
const SLOT_LIMIT_BYTES = 8 * GIB

export const postgres: Board = {
  name: 'postgres',
  title: 'Hopwhistle: Postgres',
  description: 'The primary and its replica: pools, statements, locks, lag and slots.',
  rows: [
    {
      title: 'Replication',
      panels: [
        figure({
          title: 'Servers up',
          unit: 'none',
          description: 'Whether each server answers its exporter. Good is 1.',
          thresholds: isUp,
          queries: [pg.serversUp],
          runbook: 'postgres-down',
        }),
        figure({
          title: 'Replicas streaming',
          unit: 'none',
          description: 'As the primary sees them. Good is 1 or more. A lag of 0 says nothing when there is none.',
          thresholds: isUp,
          queries: [pg.replicasStreaming],
          runbook: 'replica-gone',
        }),
        figure({
          title: 'Instances that use the replica',
          unit: 'none',
          description: 'By API instance: 1 when its reports read the replica. Good is 1.',
          thresholds: isUp,
          queries: [pg.replicaUsed],
          runbook: 'replica-gone',
          width: 8,
        }),
        figure({
          title: 'Slots in use',
          unit: 'none',
          description:
            'Good is 1: a replica uses the slot. At 0 the primary keeps all WAL for a replica that does not come.',
          thresholds: isUp,
          queries: [pg.slotActive],
          runbook: 'slot-inactive',
          width: 8,
        }),
        lines({
          title: 'Replica lag',
          unit: 's',
          description: 'Age of what the replica shows. Good is below 1 s; from 10 s on reports leave it alone.',
          thresholds: below(10),
          queries: [pg.lagSeconds],
          runbook: 'replica-lagging',
        }),
        lines({
          title: 'WAL yet to replay',
          unit: 'bytes',
          description:
            'As each API instance measures it. Good is some MB at most; from 64 MiB on reports leave the replica alone.',
          thresholds: below(64 * 1024 ** 2),
          queries: [pg.lagBytes],
          runbook: 'replica-lagging',
        }),
        lines({
          title: 'WAL kept for slots',
          unit: 'bytes',
          description:
            'What the disk of the primary holds for its replicas. Good is below 1 GiB; at 8 GiB the slot is given up.',
          thresholds: ofLimitAt(SLOT_LIMIT_BYTES),
          queries: [pg.slotRetained],
          runbook: 'slot-retains-wal',
        }),
      ],
    },
    {
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
            'Connections of all instances, by pool. Good is busy below idle; ingest and reports do not share.',
          thresholds: courseOnly,
          queries: [pools.connections],
          stacked: true,
          runbook: 'pool-waits',
        }),
        lines({
          title: 'Queries waiting for a connection',
          unit: 'none',
          description: 'Good is 0 nearly always: who waits here waits before Postgres has heard of it.',
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
          description: 'What sessions do. Good are few active ones, and none long idle in a transaction.',
          thresholds: courseOnly,
          queries: [pg.sessions],
          stacked: true,
        }),
        lines({
          title: 'What busy sessions wait for',
          unit: 'none',
          description:
            'Good is CPU, which is work. IO is the disk, Lock another session, LWLock and IPC crowding inside the server.',
          thresholds: courseOnly,
          queries: [pg.waits],
          stacked: true,
        }),
      ],
    },
    {
      title: 'Statements',
      panels: [
        lines({
          title: 'Where the time goes',
          unit: 'cores',
          description:
            'Seconds a second in each of the eight costliest statements. Good is level in proportion to the load.',
          thresholds: courseOnly,
          queries: [pg.statementTime],
          width: 16,
          stacked: true,
          runbook: 'call-events-burn',
        }),
        lines({
          title: 'Oldest transaction',
          unit: 's',
          description: `Good is below a few seconds; ${LIMITS.postgres_query_timeout.value / 1000} s is the limit of a statement of ours.`,
          thresholds: ofLimitAt(LIMITS.postgres_query_timeout.value / 1000),
          queries: [pg.longest],
          runbook: 'limit-near',
        }),
        table({
          title: 'Statements now',
          unit: 'none',
          description: 'Mean time and calls a second in the last window. Good are means of a few milliseconds.',
          thresholds: courseOnly,
          queries: [
            { ...pg.statementMean, legend: 'mean' },
            { ...pg.statementCalls, legend: 'calls' },
          ],
          rowLabel: 'statement',
          columnUnits: { mean: 's', calls: 'ops' },
        }),
      ],
    },
    {
      title: 'Work',
      panels: [
        lines({
          title: 'Transactions',
          unit: 'ops',
          description: 'Commits, and what was rolled back. Good is no rollback to speak of.',
          thresholds: courseOnly,
          queries: [pg.transactions, pg.rollbacks],
        }),
        lines({
          title: 'WAL written and replayed',
          unit: 'Bps',
          description: 'Good is a replica that replays as fast as the primary writes: lines on each other.',
          thresholds: courseOnly,
          queries: [pg.wal],
          runbook: 'replica-lagging',
        }),
        lines({
          title: 'Found in memory',
          unit: 'percentunit',
          description: 'The part of the blocks that shared_buffers had. Good is above 95 %.',
          thresholds: above(0.9),
          queries: [pg.cacheHits],
          max: 1,
        }),
        lines({
          title: 'Locks held',
          unit: 'none',
          description: 'By mode. Good is hundreds of row and share locks, and never an AccessExclusiveLock for long.',
          thresholds: courseOnly,
          queries: [pg.locks],
        }),
        lines({
          title: 'Sessions blocked by a lock',
          unit: 'none',
          description: 'Good is 0: batches are sorted so that they queue for a moment at most.',
          thresholds: below(5),
          queries: [pg.lockWaits],
        }),
        lines({
          title: 'Deadlocks',
          unit: 'none',
          description: 'Good is none: batches are written in the order of their keys.',
          thresholds: none,
          queries: [pg.deadlocks],
        }),
        lines({
          title: 'Size of the database',
          unit: 'bytes',
          description: 'Good is well below the disk, and growing as the calls do.',
          thresholds: courseOnly,
          queries: [pg.size],
          width: 12,
        }),
        lines({
          title: 'Dead rows',
          unit: 'none',
          description:
            'The five tables with most. Good are saw teeth: vacuum comes by. A steady climb is one that it does not finish.',
          thresholds: courseOnly,
          queries: [pg.deadRows],
          width: 12,
        }),
      ],
    },
  ],
}
