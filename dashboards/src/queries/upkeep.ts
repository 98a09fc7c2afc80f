/** What instances do in the background: fold rollups, empty the outbox, delete what is too old. */
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { aggregate, CHOSEN, select, sumRate } from '../promql.ts'
import { query } from './query.ts'

export const pendingRows = query('pending', aggregate('max', select(METRICS.rollupsPending, CHOSEN)))
export const foldedRows = query('folded', sumRate(METRICS.rollupsFolded, CHOSEN))
/** In milliseconds, as Grafana takes a time. */
export const foldedUntil = query(
  'folded until',
  `1000 * ${aggregate('max', select(METRICS.rollupsFoldedUntil, CHOSEN))}`,
)
export const outboxStale = query('oldest', aggregate('max', select(METRICS.outboxStale, CHOSEN)))
export const failures = query('{{task}}', sumRate(METRICS.upkeepFailed, CHOSEN, ['task']))

export const deletedCalls = query('calls', sumRate(METRICS.retentionCalls, CHOSEN))
export const deletedEvents = query('events', sumRate(METRICS.retentionEvents, CHOSEN))
/** In milliseconds, as Grafana takes a time. */
export const lastPass = query('last', `1000 * ${aggregate('max', select(METRICS.retentionPassed, CHOSEN))}`)
