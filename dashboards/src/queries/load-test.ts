/**
 * What k6 measured, if it writes to Prometheus. Each runner of a distributed test writes its own series. Counts and native
 * histograms are added up, so counts and percentiles are those of the whole test.
 */
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { aggregate, CHOSEN, nativePercentile, percentile, select, sumRate } from '../promql.ts'
import { loadTestQuery as of, type Query } from './query.ts'

const run = { run_id: '=~$run', loadtest: '=~$scenario' }

/** 1 while a test runs, no value before and after: Grafana marks the time from start to end. */
export const testRunning = 'max by (run_id, loadtest) (k6_vus >= bool 0)'

export const users = of('virtual users', aggregate('sum', select('k6_vus_max', run)))
export const runners = of('runners', `count(count by (instance_id) (${select('k6_vus', run)}))`)
export const requests = of('sent by k6', sumRate('k6_http_reqs_total', run))
export const requestsByStatus = of('{{status}}', sumRate('k6_http_reqs_total', run, ['status']))
/** k6 creates the counter with the first dropped iteration. */
export const dropped = of(
  'dropped',
  `${sumRate('k6_dropped_iterations_total', run)} or 0 * ${sumRate('k6_iterations_total', run)}`,
)
export const latency = (share: number): Query =>
  of(`k6 p${share * 100}`, nativePercentile(share, 'k6_http_req_duration_seconds', run))
export const answered: Query = {
  legend: 'answered by the API',
  needs: 'stack',
  expr: sumRate(METRICS.httpRequests, { ...CHOSEN, route: '=~/api/.*' }),
}
export const due = of('due', sumRate('k6_messages_due_total', run))
export const delivered = of('delivered', sumRate('k6_messages_delivered_total', run))
export const deliveryLatency = (share: number): Query =>
  of(`k6 p${share * 100}`, nativePercentile(share, 'k6_delivery_latency_peak_seconds', run))
export const serverLatency = (share: number): Query => ({
  legend: `API p${share * 100}`,
  needs: 'stack',
  expr: percentile(share, METRICS.httpDuration, { ...CHOSEN, route: '=~/api/.*' }),
})
