/** Requests as the instances answered them. */
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { aggregate, CHOSEN, percentile, select, sumRate } from '../promql.ts'
import { query } from './query.ts'

export const byRoute = query('{{method}} {{route}}', sumRate(METRICS.httpRequests, CHOSEN, ['method', 'route']))
export const byStatus = query('{{status}}', sumRate(METRICS.httpRequests, CHOSEN, ['status']))
export const byInstance = query('{{instance}}', sumRate(METRICS.httpRequests, CHOSEN, ['instance']))
export const p95ByRoute = query(
  '{{method}} {{route}}',
  percentile(0.95, METRICS.httpDuration, CHOSEN, ['method', 'route']),
)
export const inFlight = query('{{instance}}', aggregate('max', select(METRICS.httpInFlight, CHOSEN), ['instance']))
export const rejected = query('{{reason}}', sumRate(METRICS.rejected, CHOSEN, ['reason']))
