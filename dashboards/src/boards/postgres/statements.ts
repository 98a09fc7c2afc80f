import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { lines, table } from '../../panels/panel.ts'
import { courseOnly, ofLimitAt } from '../../panels/thresholds.ts'
import * as pg from '../../queries/postgres.ts'
import type { BoardRow } from '../board.ts'

export const statements: BoardRow = {
  title: 'Statements',
  panels: [
    lines({
      title: 'Where the time goes',
      unit: 'cores',
      description:
        'Seconds per second in each of the eight most expensive statements. Good is in proportion to the load.',
      thresholds: courseOnly,
      queries: [pg.statementTime],
      width: 16,
      stacked: true,
      runbook: 'call-events-burn',
    }),
    lines({
      title: 'Oldest transaction',
      unit: 's',
      description: `Good is below a few seconds; ${LIMITS.postgres_query_timeout.value / 1000} s is the limit for a statement of the API.`,
      thresholds: ofLimitAt(LIMITS.postgres_query_timeout.value / 1000),
      queries: [pg.longest],
      runbook: 'limit-near',
    }),
    table({
      title: 'Statements now',
      unit: 'none',
      description: 'Mean time and calls a second in the last window. Good is a mean of a few milliseconds.',
      thresholds: courseOnly,
      queries: [
        { ...pg.statementMean, legend: 'mean' },
        { ...pg.statementCalls, legend: 'calls' },
      ],
      rowLabel: 'statement',
      columnUnits: { mean: 's', calls: 'ops' },
    }),
  ],
}
