/** The targets that the load tests prove and the alerts watch. Latencies in milliseconds, rates in percent. */
export const SCENARIOS = ['call-state-updates', 'reporting-endpoints', 'redis-pubsub'] as const
export type ScenarioName = (typeof SCENARIOS)[number]

export const SLOS = {
  'call-state-updates': { ratePerSecond: 500, successPercent: 95, p95Ms: 300, p99Ms: 500 },
  'reporting-endpoints': { ratePerSecond: 100, successPercent: 98, p50Ms: 150, p95Ms: 300, p99Ms: 500 },
  'redis-pubsub': {
    ratePerSecond: 500,
    deliveryPercent: 95,
    p50Ms: 50,
    p95Ms: 100,
    p99Ms: 200,
    subscribers: 200,
    publishers: 10,
  },
} as const

/**
 * Latencies are counted in logarithmic buckets, so that the counts of any number of runners add up to the
 * true distribution: bucket i holds (min·γ^(i-1), min·γ^i] with γ = (1+e)/(1-e), and its estimate
 * 2·min·γ^i/(γ+1) is within the relative error e of every value in it (DDSketch, Masson et al., VLDB 2019).
 */
export const LATENCY_BUCKETS = { minMs: 0.1, relativeError: 0.01, count: 705 } as const
