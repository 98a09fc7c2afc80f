/** Deletion of calls that are too old. */
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { aggregate, CHOSEN, select, sumRate } from '../promql.ts'
import { query } from './query.ts'

export const deletedCalls = query('calls', sumRate(METRICS.retentionCalls, CHOSEN))
export const deletedEvents = query('events', sumRate(METRICS.retentionEvents, CHOSEN))
/** In milliseconds, as Grafana takes a time. */
export const lastPass = query('last', `1000 * ${aggregate('max', select(METRICS.retentionPassed, CHOSEN))}`)
