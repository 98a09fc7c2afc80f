/**
 * The objectives of the platform as ratios of bad to all, from counters of the API. Error budgets and burn rates are
 * computed from them. Each latency target is the edge of a bucket, so the ratios are exact.
 */
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { SCENARIOS } from '@hopwhistle/contract/scenarios.ts'
import { anyOf, type Matchers, share, sumRate } from './promql.ts'

export const ENDPOINTS = ['events', 'reports', 'live'] as const
export type Endpoint = (typeof ENDPOINTS)[number]

export type Sli = {
  /** The label `slo` of its recordings. Objectives of one endpoint have the same prefix. */
  readonly name: `${Endpoint}-${string}`
  readonly endpoint: Endpoint
  readonly promise: string
  /** The share that may be bad: 0.05 for an objective of 95 %. */
  readonly budget: number
  /** The share that was bad in a window; no value without traffic. Grouped by the labels `by`. */
  bad(window: string, by: readonly string[], matchers?: Matchers): string
}

export const ROUTES_OF = {
  events: anyOf([ROUTES.demoCallEvent, ROUTES.callEvent, ROUTES.callEvents]),
  reports: anyOf([ROUTES.reportMetrics, ROUTES.reportCalls, ROUTES.call]),
} as const

const LATENCIES = [
  { name: 'p50', budget: 0.5, says: 'half' },
  { name: 'p95', budget: 0.05, says: '95 %' },
  { name: 'p99', budget: 0.01, says: '99 %' },
] as const

function slowerThan(
  endpoint: Endpoint,
  histogram: string,
  own: Matchers,
  noun: string,
  targets: Readonly<Partial<Record<'p50Ms' | 'p95Ms' | 'p99Ms', number>>>,
): readonly Sli[] {
  return LATENCIES.flatMap(({ name, budget, says }): readonly Sli[] => {
    const ms = targets[`${name}Ms`]
    if (ms === undefined) return []
    return [
      {
        name: `${endpoint}-${name}`,
        endpoint,
        budget,
        promise: `${says} of all ${noun} within ${ms} ms`,
        bad: (window, by, matchers = {}) => {
          const all = sumRate(`${histogram}_count`, { ...matchers, ...own }, by, window)
          const inTime = sumRate(`${histogram}_bucket`, { ...matchers, ...own, le: String(ms / 1000) }, by, window)
          return `(${all} - ${inTime}) / (${all} > 0)`
        },
      },
    ]
  })
}

/** 4xx is an error of the client, and not counted. */
function failing(endpoint: 'events' | 'reports', noun: string, successPercent: number): Sli {
  const route = ROUTES_OF[endpoint]
  return {
    name: `${endpoint}-success`,
    endpoint,
    budget: budgetOf(successPercent),
    promise: `${successPercent} % of all ${noun} succeed`,
    bad: (window, by, matchers = {}) =>
      share(
        sumRate(METRICS.httpRequests, { ...matchers, route, status: '=~5..' }, by, window),
        sumRate(METRICS.httpRequests, { ...matchers, route }, by, window),
      ),
  }
}

const budgetOf = (percent: number): number => Number((1 - percent / 100).toFixed(6))

const EVENTS = SCENARIOS['call-state-updates'].targets.updates
const REPORTS = SCENARIOS['reporting-endpoints'].targets.reports
const LIVE = SCENARIOS['redis-pubsub'].targets.messages

export const SLIS: readonly Sli[] = [
  failing('events', 'call events', EVENTS.successPercent),
  ...slowerThan('events', METRICS.httpDuration, { route: ROUTES_OF.events }, 'call events', EVENTS),
  failing('reports', 'reports', REPORTS.successPercent),
  ...slowerThan('reports', METRICS.httpDuration, { route: ROUTES_OF.reports }, 'reports', REPORTS),
  {
    name: 'live-delivery',
    endpoint: 'live',
    budget: budgetOf(LIVE.deliveryPercent),
    promise: `${LIVE.deliveryPercent} % of all live messages go out at once`,
    bad: (window, by, matchers = {}) => {
      const failed = sumRate(METRICS.livePublishFailed, matchers, by, window)
      const published = sumRate(METRICS.livePublished, matchers, by, window)
      return `${failed} / ((${failed} + ${published}) > 0)`
    },
  },
  ...slowerThan('live', METRICS.liveDelay, {}, 'live messages', LIVE),
]
