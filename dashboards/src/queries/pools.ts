/** The connection pools of the API instances. */
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { aggregate, CHOSEN, percentile, select } from '../promql.ts'
import { query } from './query.ts'

export const connections = query(
  '{{pool}} {{state}}',
  aggregate('sum', select(METRICS.poolConnections, CHOSEN), ['pool', 'state']),
)
export const waiting = query('{{pool}}', aggregate('sum', select(METRICS.poolWaiting, CHOSEN), ['pool']))
export const wait = query('{{pool}}', percentile(0.95, METRICS.poolWait, CHOSEN, ['pool']))
