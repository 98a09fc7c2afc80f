/** What a chart shows of a run: rate and percentiles over time, in as many windows as an eye can tell apart. */
import { trafficIn } from '@hopwhistle/contract/scenarios.ts'
import type { PhaseSpan, SeriesPoint } from '../../results-format.ts'
import { mergeHistograms, percentileMs } from '../../scenarios/lib/histogram.ts'
import { totalsOf } from '../../scenarios/lib/totals.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { PHASES, trafficOf } from '../evidence/traffic.ts'
import { rounded } from '../findings/stat.ts'

export type ChartData = {
  readonly phases: readonly PhaseSpan[]
  /** The middle of a window in seconds after the start, its rate a second, and p50, p95 and p99 in ms. */
  readonly points: readonly ChartPoint[]
}

export type ChartPoint = readonly [
  atSeconds: number,
  ratePerSecond: number,
  p50: number | null,
  p95: number | null,
  p99: number | null,
]

export const MOST_POINTS = 120

/** Neighbouring windows are added up, buckets and all, so that each percentile is that of its window. */
export function chartDataOf(result: LoadtestResult): ChartData {
  const phases = result.runners[0]?.settings.phases ?? []
  const startedAt = Math.min(...result.runners.map((runner) => Date.parse(runner.startedAt)))
  const endSeconds = phases.find(({ name }) => name === 'peak')?.toSeconds ?? 0
  const windows = (result.series ?? []).filter((point) => {
    const to = (Date.parse(point.at) - startedAt) / 1000
    // What k6 does before its first request and after its last is no part of the load.
    return to > 0 && to - point.windowSeconds < endSeconds
  })
  const together = Math.max(1, Math.ceil(windows.length / MOST_POINTS))
  const points: ChartPoint[] = []
  for (let i = 0; i < windows.length; i += together) {
    const point = pointOf(result, windows.slice(i, i + together), startedAt)
    if (point !== undefined) points.push(point)
  }
  return { phases, points }
}

function pointOf(result: LoadtestResult, windows: readonly SeriesPoint[], startedAt: number): ChartPoint | undefined {
  const first = windows[0]
  const last = windows.at(-1)
  if (first === undefined || last === undefined) return undefined
  const from = (Date.parse(first.at) - startedAt) / 1000 - first.windowSeconds
  const to = (Date.parse(last.at) - startedAt) / 1000
  const seconds = windows.reduce((sum, { windowSeconds }) => sum + windowSeconds, 0)
  const totals = totalsOf(windows)
  const [kind] = trafficIn(result.scenario)
  const traffic = PHASES.map((phase) => trafficOf(kind, totals, phase))
  const ok = traffic.reduce((sum, phase) => sum + phase.ok, 0)
  const latency = mergeHistograms(traffic.map((phase) => phase.latency))
  const at = (percent: number): number | null => {
    const ms = percentileMs(latency, percent)
    return ms === undefined ? null : rounded(ms)
  }
  return [Math.round(5 * (from + to)) / 10, rounded(ok / seconds), at(50), at(95), at(99)]
}
