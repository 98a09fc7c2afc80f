/** Turns what k6 hands to `handleSummary` into the result format. */
import {
  type K6Result,
  type PhaseSpan,
  RESULTS_FORMAT,
  type RunnerSettings,
  type TrendData,
} from './loadtests.results-format.ts'
import { isBucketMetric, splitCounters } from './lib.bucket-names.ts'
import type { CommonSettings, Settings } from './lib.settings.ts'

/** The part of k6's summary that is used; the same in k6 1.x and 2.x. */
export type K6Summary = {
  readonly metrics: Readonly<Record<string, K6Metric>>
}

export type K6Metric = {
  readonly type: 'counter' | 'gauge' | 'rate' | 'trend'
  readonly values: Readonly<Record<string, number>>
  readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>>
}

/** What the summary of k6 does not say about the run. */
export type RunFacts = {
  readonly runId: string
  readonly startedAt: number
  readonly endedAt: number
  readonly segment: string | undefined
  readonly phases: readonly PhaseSpan[]
  /** Counters that are 0 when k6 never saw them. */
  readonly counters: readonly string[]
  readonly trends: readonly string[]
}

/** k6's own counts, copied as `k6_<name>`. */
const K6_METRICS = ['http_reqs', 'iterations', 'dropped_iterations', 'data_sent', 'data_received', 'vus_max'] as const
const K6_LIVE_METRICS = ['ws_sessions', 'ws_msgs_sent', 'ws_msgs_received'] as const
const BUILT_IN: ReadonlySet<string> = new Set([...K6_METRICS, ...K6_LIVE_METRICS])

export function resultOf(summary: K6Summary, settings: Settings, facts: RunFacts): K6Result {
  const { counters, histograms } = splitCounters(customCounts(summary))
  return {
    format: RESULTS_FORMAT,
    scenario: settings.scenario,
    profile: settings.profile,
    runId: facts.runId,
    target: { url: settings.apiUrl },
    expectedRunners: settings.parallelism,
    runners: [
      {
        instance: instanceName(settings, facts.segment),
        ...(facts.segment === undefined ? {} : { segment: facts.segment }),
        startedAt: new Date(facts.startedAt).toISOString(),
        endedAt: new Date(facts.endedAt).toISOString(),
        k6: settings.k6Version === undefined ? {} : { version: settings.k6Version },
        settings: runnerSettings(settings, facts.phases),
        counters: { ...zeros(facts.counters), ...counters, ...k6Counts(summary) },
        histograms,
        trends: Object.fromEntries(
          facts.trends.flatMap((name) => {
            const trend = trendOf(summary.metrics[name])
            return trend === undefined ? [] : [[name, trend] as const]
          }),
        ),
        thresholds: Object.entries(summary.metrics)
          .filter(([name]) => !isBucketMetric(name))
          .flatMap(([metric, { thresholds = {} }]) =>
            Object.entries(thresholds).map(([expression, { ok }]) => ({ metric, expression, ok })),
          ),
      },
    ],
  }
}

/** The shape of a test, as a result tells it. */
export const runnerSettings = (
  { shape, offeredPerSecond, parallelism, tenants }: Settings,
  phases: readonly PhaseSpan[],
): RunnerSettings => ({ ...shape, offeredPerSecond, parallelism, ...(tenants > 1 && { tenants }), phases })

/** A name for the runner that no other of the same test has: what it was given, else its segment of the load. */
export function instanceName({ instance }: CommonSettings, segment: string | undefined): string {
  return instance ?? (segment === undefined ? '1' : segment.replaceAll('/', '_').replaceAll(':', '-'))
}

/** `call-state-updates.json`, with the runner's name in it when there are several. */
export function resultFileName(settings: CommonSettings, segment: string | undefined): string {
  const several = settings.parallelism > 1 || segment !== undefined
  return several ? `${settings.scenario}-${instanceName(settings, segment)}.json` : `${settings.scenario}.json`
}

function customCounts({ metrics }: K6Summary): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const [name, { type, values }] of Object.entries(metrics)) {
    if (type === 'counter' && !BUILT_IN.has(name)) counts[name] = values.count ?? 0
  }
  return counts
}

function k6Counts({ metrics }: K6Summary): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of K6_METRICS) counts[`k6_${name}`] = countOf(metrics[name])
  for (const name of K6_LIVE_METRICS) if (metrics[name]) counts[`k6_${name}`] = countOf(metrics[name])
  const checks = metrics.checks?.values
  counts.k6_checks = (checks?.passes ?? 0) + (checks?.fails ?? 0)
  counts.k6_checks_failed = checks?.fails ?? 0
  return counts
}

const countOf = (metric: K6Metric | undefined): number => metric?.values.count ?? metric?.values.max ?? 0

const zeros = (names: readonly string[]): Record<string, number> => Object.fromEntries(names.map((name) => [name, 0]))

function trendOf(metric: K6Metric | undefined): TrendData | undefined {
  if (metric === undefined) return undefined
  const { count = 0, min = 0, max = 0, avg = 0, med = 0, ...others } = metric.values
  const percentiles = Object.entries(others)
    .flatMap(([name, value]) => {
      const [, percent] = /^p\((.+)\)$/.exec(name) ?? []
      return percent === undefined ? [] : [[Number(percent), round(value)] as const]
    })
    .sort(([a], [b]) => a - b)
  return { unit: 'ms', count, min: round(min), max: round(max), avg: round(avg), med: round(med), percentiles }
}

/** To a microsecond: more digits are noise and triple the file. */
const round = (ms: number): number => Math.round(ms * 1000) / 1000
