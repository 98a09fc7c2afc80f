import { METRICS } from '@hopwhistle/contract/metrics.ts'
import {
  labelOf,
  type PrometheusMetrics,
  parsePrometheus,
  splitEdge,
} from '@hopwhistle/platform/lib/prometheus-text.ts'
import type { SeriesRecorder } from './series-recorder.ts'
import type { ApiEvidence, HistogramGrowth, Series } from './server-evidence.ts'
import type { Source } from './source.ts'

/** What is kept of the runtime's own metrics; everything of ours is kept. */
const RUNTIME = new Set([
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
  'nodejs_heap_size_used_bytes',
  'nodejs_eventloop_lag_p99_seconds',
  'nodejs_gc_duration_seconds',
  'nodejs_version_info',
])
const ANSWER_WITHIN_MS = 1_500

/** Scrapes one instance on its admin port, as Prometheus would. */
export function apiSource(instance: string, adminUrl: string): Source<ApiEvidence> {
  let first: PrometheusMetrics | undefined
  let last: PrometheusMetrics | undefined
  let unanswered = 0

  return {
    begin: async () => {},
    close: async () => {},
    async sample(recorder) {
      const metrics = await scrape(adminUrl)
      recorder.gauge('up', metrics === undefined ? 0 : 1)
      if (metrics === undefined) {
        unanswered += 1
        return
      }
      // A counter of which the first answer had nothing has counted from zero since.
      const before = first === undefined ? undefined : 0
      first ??= metrics
      last = metrics
      for (const { name, labels, value } of metrics.samples) {
        if (!Number.isFinite(value)) continue
        const type = metrics.types.get(name)
        if (type === 'gauge') recorder.gauge(`gauge ${name}${labels}`, value)
        else if (type === 'counter') recorder.growth(`counter ${name}${labels}`, value, before)
      }
    },
    async end(recorder) {
      if (first === undefined || last === undefined) return undefined
      const gauges = pick(recorder, 'gauge ')
      const usage = byResource(gauges, METRICS.usage)
      const newest = last
      return {
        instance,
        unanswered,
        gauges: Object.fromEntries(
          Object.entries(gauges).filter(([name]) => !name.startsWith(METRICS.usage) && !name.startsWith(METRICS.limit)),
        ),
        ratesPerSecond: pick(recorder, 'counter '),
        totals: Object.fromEntries(
          recorder
            .names()
            .filter((name) => name.startsWith('counter '))
            .map((name) => [name.slice('counter '.length), recorder.grown(name)]),
        ),
        histograms: histogramGrowth(first, last),
        limits: Object.fromEntries(
          newest.samples
            .filter(({ name }) => name === METRICS.limit)
            .map(({ labels, value }) => [labelOf(labels, 'resource') ?? labels, value] as const),
        ),
        usage,
      }
    },
  }
}

async function scrape(adminUrl: string): Promise<PrometheusMetrics | undefined> {
  try {
    const response = await fetch(`${adminUrl}/metrics`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })
    if (!response.ok) return undefined
    const { types, samples } = parsePrometheus(await response.text())
    const kept = samples.filter(({ name }) => name.startsWith('hopwhistle_') || RUNTIME.has(base(name)))
    return { types, samples: kept }
  } catch {
    return undefined
  }
}

const base = (name: string) => name.replace(/_(bucket|sum|count)$/, '')

function pick(recorder: SeriesRecorder, prefix: string): Record<string, Series> {
  return Object.fromEntries(
    recorder
      .names()
      .filter((name) => name.startsWith(prefix))
      .map((name) => [name.slice(prefix.length), recorder.series(name)]),
  )
}

function byResource(gauges: Readonly<Record<string, Series>>, metric: string): Record<string, Series> {
  return Object.fromEntries(
    Object.entries(gauges).flatMap(([name, series]) => {
      const resource = name.startsWith(`${metric}{`) ? labelOf(name.slice(metric.length), 'resource') : undefined
      return resource === undefined ? [] : [[resource, series] as const]
    }),
  )
}

type Cumulative = { readonly edges: number[]; readonly counts: number[]; count: number; sum: number }

function histogramGrowth(first: PrometheusMetrics, last: PrometheusMetrics): Record<string, HistogramGrowth> {
  const before = readHistograms(first)
  const grown: Record<string, HistogramGrowth> = {}
  for (const [name, now] of readHistograms(last)) {
    const start = before.get(name)
    // Smaller than before: the instance was restarted, and has counted from zero since.
    const from = start !== undefined && start.count <= now.count ? start : undefined
    const count = now.count - (from?.count ?? 0)
    if (count === 0) continue
    const upTo = now.counts.map((value, i) => value - (from?.counts[i] ?? 0))
    grown[name] = {
      edges: now.edges.filter(Number.isFinite),
      counts: upTo.map((value, i) => value - (upTo[i - 1] ?? 0)),
      count,
      sum: Number((now.sum - (from?.sum ?? 0)).toPrecision(6)),
    }
  }
  return grown
}

function readHistograms({ types, samples }: PrometheusMetrics): Map<string, Cumulative> {
  const found = new Map<string, Cumulative>()
  const of = (key: string): Cumulative => {
    const histogram = found.get(key) ?? { edges: [], counts: [], count: 0, sum: 0 }
    found.set(key, histogram)
    return histogram
  }
  for (const { name, labels, value } of samples) {
    const family = base(name)
    if (types.get(family) !== 'histogram') continue
    if (name.endsWith('_bucket')) {
      const split = splitEdge(labels)
      if (split === undefined) continue
      const histogram = of(family + split.rest)
      histogram.edges.push(split.edge)
      histogram.counts.push(value)
    } else if (name.endsWith('_sum')) of(family + labels).sum = value
    else of(family + labels).count = value
  }
  return found
}
