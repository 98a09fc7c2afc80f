import { lines } from '../../panels/panel.ts'
import { above, below, courseOnly, none } from '../../panels/thresholds.ts'
import * as pg from '../../queries/postgres.ts'
import type { BoardRow } from '../board.ts'

export const work: BoardRow = {
  title: 'Work',
  panels: [
    lines({
      title: 'Transactions',
      unit: 'ops',
      description: 'Commits and rollbacks. Good is hardly any rollback.',
      thresholds: courseOnly,
      queries: [pg.transactions, pg.rollbacks],
    }),
    lines({
      title: 'WAL written and replayed',
      unit: 'Bps',
      description: 'Good is a replica that replays as fast as the primary writes: both lines coincide.',
      thresholds: courseOnly,
      queries: [pg.wal],
      runbook: 'replica-lagging',
    }),
    lines({
      title: 'Found in memory',
      unit: 'percentunit',
      description: 'The share of blocks that were in shared_buffers. Good is above 95 %.',
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
      description: 'Good is 0: batches are sorted, so that they wait only briefly.',
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
      description: 'Good is well below the size of the disk, and grows with the number of calls.',
      thresholds: courseOnly,
      queries: [pg.size],
      width: 12,
    }),
    lines({
      title: 'Dead rows',
      unit: 'none',
      description:
        'The five tables with most. Good is a sawtooth: vacuum runs. With a steady rise, vacuum does not finish.',
      thresholds: courseOnly,
      queries: [pg.deadRows],
      width: 12,
    }),
  ],
}
