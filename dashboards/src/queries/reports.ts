/** Where reports are read. */
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { CHOSEN, sumRate } from '../promql.ts'
import { query } from './query.ts'

export const sources = query('{{source}}', sumRate(METRICS.reportSource, CHOSEN, ['source']))
export const cache = query('{{result}}', sumRate(METRICS.reportCache, CHOSEN, ['result']))
