import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { lines } from '../../panels/panel.ts'
import { below, courseOnly, none, ofLimitAt } from '../../panels/thresholds.ts'
import * as ingest from '../../queries/ingest.ts'
import type { BoardRow } from '../board.ts'

export const callEvents: BoardRow = {
  title: 'Call events',
  panels: [
    lines({
      title: 'What became of events',
      unit: 'eps',
      description:
        'Good is applied, with some late and duplicate ones, as providers send them. Conflict and refused should be 0.',
      thresholds: courseOnly,
      queries: [ingest.outcomes],
      stacked: true,
    }),
    lines({
      title: 'Time to commit a batch',
      unit: 's',
      description:
        'From handing a batch to Postgres to its commit. Good is below 50 ms; it is part of every event’s latency.',
      thresholds: below(0.05),
      queries: [ingest.commit(0.5), ingest.commit(0.95), ingest.commit(0.99)],
      runbook: 'call-events-burn',
    }),
    lines({
      title: 'Events a batch',
      unit: 'none',
      description: 'Batches grow with the load. Good is below 500: at 500 all the time, the limit is reached.',
      thresholds: below(500),
      queries: [ingest.batchSize(0.5), ingest.batchSize(0.95)],
    }),
    lines({
      title: 'Events waiting for their commit',
      unit: 'none',
      description: `Good is a few hundred at most; from ${LIMITS.ingest_queue.value} on, events are answered 503.`,
      thresholds: ofLimitAt(LIMITS.ingest_queue.value),
      queries: [ingest.queue],
      runbook: 'limit-near',
    }),
    lines({
      title: 'Batches written again',
      unit: 'ops',
      description: 'By SQLSTATE of what failed. Good is none; a few while Postgres is restarted are normal.',
      thresholds: none,
      queries: [ingest.retries],
      runbook: 'postgres-down',
    }),
    lines({
      title: 'Published late',
      unit: 'ops',
      description:
        'Batches that the sweeper published, because the instance that committed them did not. Good is none.',
      thresholds: none,
      queries: [ingest.republished],
      runbook: 'redis-down',
    }),
  ],
}
