/** From an accepted call event to its commit. */
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { aggregate, CHOSEN, percentile, select, sumRate } from '../promql.ts'
import { query } from './query.ts'

export const outcomes = query('{{outcome}}', sumRate(METRICS.ingestEvents, CHOSEN, ['outcome']))
export const batchSize = (share: number) => query(`p${share * 100}`, percentile(share, METRICS.ingestBatchSize, CHOSEN))
export const commit = (share: number) => query(`p${share * 100}`, percentile(share, METRICS.ingestCommit, CHOSEN))
export const queue = query('{{instance}}', aggregate('max', select(METRICS.ingestQueue, CHOSEN), ['instance']))
export const retries = query('{{reason}}', sumRate(METRICS.ingestRetries, CHOSEN, ['reason']))
export const republished = query('batches', sumRate(METRICS.outboxRepublished, CHOSEN))
