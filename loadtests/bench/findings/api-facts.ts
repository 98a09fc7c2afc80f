import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { type ScenarioName, TRAFFIC, trafficIn } from '@hopwhistle/contract/scenarios.ts'
import { readSeriesName } from '../evidence/series-name.ts'
import type { ApiEvidence, HistogramGrowth, Series, ServerEvidence } from '../sample/server-evidence.ts'
import type { During } from './during.ts'
import type { ApiFacts, PoolFacts } from './facts.ts'
import { known, rounded, type Stat, statOf } from './stat.ts'

/** @returns undefined when no instance answered */
export function apiFacts(scenario: ScenarioName, { api }: ServerEvidence, during: During): ApiFacts | undefined {
  if (api.length === 0) return undefined
  const gaugeOf = (name: string) => highest(api.map(({ gauges }) => statOf(during(gauges[name]))))
  const resources = [...new Set(api.flatMap(({ usage }) => Object.keys(usage)))]
  return known({
    instances: api.length,
    eventLoop: api.flatMap(({ instance, gauges }) => {
      const stat = statOf(during(gauges[METRICS.eventLoopUtilization]))
      return stat === undefined ? [] : [{ instance, ...stat }]
    }),
    limits: { ...api[0]?.limits },
    usage: Object.fromEntries(
      resources.flatMap((name) => {
        const stat = highest(api.map(({ usage }) => statOf(during(usage[name]))))
        return stat === undefined ? [] : [[name, stat] as const]
      }),
    ),
    pools: pools(api, during),
    ingest: ingest(api, gaugeOf(METRICS.ingestQueue)),
    reports: reports(api),
    live: live(api, during),
    replicaLagSeconds: gaugeOf(METRICS.replicaLagSeconds),
    replicaLagBytes: gaugeOf(METRICS.replicaLagBytes),
    rejected: grownBy(api, METRICS.rejected, 'reason'),
    requests: requests(api, TRAFFIC[trafficIn(scenario)[0]].routes),
  })
}

function pools(api: readonly ApiEvidence[], during: During): readonly PoolFacts[] {
  const names = new Set<string>()
  for (const { gauges } of api) {
    for (const series of Object.keys(gauges)) {
      const { name, labels } = readSeriesName(series)
      if (name === METRICS.poolConnections && labels.pool !== undefined) names.add(labels.pool)
    }
  }
  return [...names].sort().map((pool) => {
    const of = (gauges: ApiEvidence['gauges'], metric: string, state?: string): Series | undefined =>
      Object.entries(gauges).find(([series]) => {
        const { name, labels } = readSeriesName(series)
        return name === metric && labels.pool === pool && (state === undefined || labels.state === state)
      })?.[1]
    const stat = (metric: string, state?: string) =>
      highest(api.map(({ gauges }) => statOf(during(of(gauges, metric, state)))))
    const open = api.map(({ gauges }) => {
      const busy = during(of(gauges, METRICS.poolConnections, 'busy'))
      const idle = during(of(gauges, METRICS.poolConnections, 'idle'))
      return statOf(busy.map((count, i) => count + (idle[i] ?? idle[0] ?? 0)))
    })
    return known({
      pool,
      busy: stat(METRICS.poolConnections, 'busy'),
      open: highest(open),
      waiting: stat(METRICS.poolWaiting),
    })
  })
}

function requests(api: readonly ApiEvidence[], routes: readonly string[]): ApiFacts['requests'] | undefined {
  const all = merged(api, METRICS.httpDuration, ({ route = '' }) => routes.includes(route))
  if (all === undefined || all.count === 0) return undefined
  return known({
    meanMs: rounded((1000 * all.sum) / all.count),
    p50BelowMs: edgeMs(all, 0.5),
    p95BelowMs: edgeMs(all, 0.95),
    p99BelowMs: edgeMs(all, 0.99),
  })
}

function ingest(api: readonly ApiEvidence[], queue: Stat | undefined): ApiFacts['ingest'] | undefined {
  const sizes = merged(api, METRICS.ingestBatchSize)
  const commits = merged(api, METRICS.ingestCommit)
  if (sizes === undefined || commits === undefined || sizes.count === 0 || commits.count === 0) return undefined
  return known({
    batches: sizes.count,
    events: sizes.sum,
    meanBatch: rounded(sizes.sum / sizes.count),
    meanCommitMs: rounded((1000 * commits.sum) / commits.count),
    p99CommitBelowMs: edgeMs(commits, 0.99),
    queue,
    retries: sum(grownBy(api, METRICS.ingestRetries, 'reason')),
    byOutcome: grownBy(api, METRICS.ingestEvents, 'outcome'),
  })
}

function reports(api: readonly ApiEvidence[]): ApiFacts['reports'] | undefined {
  const bySource = grownBy(api, METRICS.reportSource, 'source')
  const byCache = grownBy(api, METRICS.reportCache, 'result')
  return sum(bySource) + sum(byCache) === 0 ? undefined : { bySource, byCache }
}

function live(api: readonly ApiEvidence[], during: During): ApiFacts['live'] | undefined {
  const total = (name: string) => sum(grownBy(api, name))
  const delivered = total(METRICS.liveDelivered)
  if (delivered === 0) return undefined
  const delay = merged(api, METRICS.liveDelay)
  return known({
    delivered,
    frames: total(METRICS.liveFrames),
    published: total(METRICS.livePublished),
    publishFailed: total(METRICS.livePublishFailed),
    meanDelayMs: delay === undefined || delay.count === 0 ? undefined : rounded((1000 * delay.sum) / delay.count),
    p95DelayBelowMs: edgeMs(delay, 0.95),
    sockets: highest(api.map(({ gauges }) => statOf(during(gauges[METRICS.liveSockets])))),
    closed: grownBy(api, METRICS.liveClosed, 'reason'),
  })
}

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0)

/** What a counter of all instances grew by, by one of its labels; what did not grow is left out. */
function grownBy(api: readonly ApiEvidence[], metric: string, label?: string): Readonly<Record<string, number>> {
  const grown: Record<string, number> = {}
  for (const { totals } of api) {
    for (const [series, count] of Object.entries(totals)) {
      const { name, labels } = readSeriesName(series)
      if (name !== metric || count === 0) continue
      const key = label === undefined ? 'all' : (labels[label] ?? 'other')
      grown[key] = (grown[key] ?? 0) + count
    }
  }
  return Object.fromEntries(Object.entries(grown).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** One histogram of all instances, and of all labels or those that match. */
function merged(
  api: readonly ApiEvidence[],
  metric: string,
  matches = (_: Readonly<Record<string, string>>) => true,
): HistogramGrowth | undefined {
  const parts = api.flatMap(({ histograms }) =>
    Object.entries(histograms).flatMap(([series, histogram]) => {
      const { name, labels } = readSeriesName(series)
      return name === metric && matches(labels) ? [histogram] : []
    }),
  )
  const [first] = parts
  if (first === undefined) return undefined
  return parts.slice(1).reduce<HistogramGrowth>(
    (all, part) => ({
      edges: all.edges,
      counts: all.counts.map((count, i) => count + (part.counts[i] ?? 0)),
      count: all.count + part.count,
      sum: all.sum + part.sum,
    }),
    first,
  )
}

/** The edge in ms that a share of a histogram in seconds stays below; undefined when it is above the last edge. */
function edgeMs(histogram: HistogramGrowth | undefined, share: number): number | undefined {
  if (histogram === undefined || histogram.count === 0) return undefined
  let seen = 0
  for (const [i, count] of histogram.counts.entries()) {
    seen += count
    if (seen < share * histogram.count) continue
    const edge = histogram.edges[i]
    return edge === undefined ? undefined : rounded(1000 * edge)
  }
  return undefined
}

const highest = (stats: readonly (Stat | undefined)[]): Stat | undefined =>
  stats.reduce((a, b) => (a === undefined || (b !== undefined && b.peak > a.peak) ? b : a), undefined)
