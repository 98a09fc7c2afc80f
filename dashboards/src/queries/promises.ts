/** The objectives of one endpoint, and their remaining error budgets. */
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { CHOSEN, PANEL_WINDOW, percentile, select, sumRate } from '../promql.ts'
import { RECORDED } from '../recorded-series.ts'
import { type Endpoint, ROUTES_OF, type Sli } from '../slis.ts'
import { type Query, query } from './query.ts'

/** The share that met the objective. */
export const kept = (sli: Sli): Query => query('kept', `1 - ${sli.bad(PANEL_WINDOW, [], CHOSEN)}`)

/** Of an endpoint's objectives, the worst is shown. */
export const budgetLeft = (endpoint: Endpoint): Query =>
  query('{{slo}}', `min by (slo) (${select(RECORDED.budgetLeft, { ...CHOSEN, slo: `=~${endpoint}-.*` })})`)

export const burn = (endpoint: Endpoint, window: string): Query =>
  query('{{slo}}', `max by (slo) (${select(RECORDED.burn, { ...CHOSEN, slo: `=~${endpoint}-.*`, window })})`)

export function latency(endpoint: Endpoint, share: number): Query {
  const [histogram, own] =
    endpoint === 'live' ? [METRICS.liveDelay, {}] : [METRICS.httpDuration, { route: ROUTES_OF[endpoint] }]
  return query(`p${share * 100}`, percentile(share, histogram, { ...CHOSEN, ...own }))
}

export const throughput = (endpoint: Endpoint): Query => {
  switch (endpoint) {
    case 'events':
      return query('events', sumRate(METRICS.ingestEvents, CHOSEN))
    case 'reports':
      return query('reports', sumRate(METRICS.httpRequests, { ...CHOSEN, route: ROUTES_OF.reports }))
    case 'live':
      return query('messages', sumRate(METRICS.livePublished, CHOSEN))
  }
}

export const firing: Query = query(
  'alerts',
  `count(${select('ALERTS', { ...CHOSEN, alertname: '=~Hopwhistle.*', alertstate: 'firing' })}) or vector(0)`,
)
