/** What a chart shows of a run: rate and percentiles over time, in as many windows as an eye can tell apart. */
import { type TrafficKind, trafficIn } from '@hopwhistle/contract/scenarios.ts'
import type { HistogramData, PhaseSpan, SeriesPoint } from '../../results-format.ts'
import { mergeHistograms, percentileMs } from '../../scenarios/lib/histogram.ts'
import { type Totals, totalsOf } from '../../scenarios/lib/totals.ts'
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
  const [kind] = trafficIn(result.scenario)
  return {
    phases: result.runners[0]?.settings.phases ?? [],
    points: windowsOf(result, MOST_POINTS).map((window) => pointOf(window, kind)),
  }
}

/** A part of the ramp and the peak, and what was counted in it. Times are in seconds after the start. */
export type Window = { readonly from: number; readonly to: number; readonly seconds: number; readonly totals: Totals }

/** @param most windows; neighbours are added up until there are no more than these */
export function windowsOf(result: LoadtestResult, most: number): readonly Window[] {
  return windowsIn(result.series ?? [], startOf(result), loadSeconds(result), most)
}

/** @param startedAt of the load, in Unix milliseconds */
export function windowsIn(
  series: readonly SeriesPoint[],
  startedAt: number,
  endSeconds: number,
  most: number,
): readonly Window[] {
  const points = series.filter((point) => {
    const to = (Date.parse(point.at) - startedAt) / 1000
    // What k6 does before its first request and after its last is no part of the load.
    return to > 0 && to - point.windowSeconds < endSeconds
  })
  const together = Math.max(1, Math.ceil(points.length / most))
  const windows: Window[] = []
  for (let i = 0; i < points.length; i += together) {
    const some = points.slice(i, i + together)
    const [first, last] = [some[0] as SeriesPoint, some.at(-1) as SeriesPoint]
    windows.push({
      from: (Date.parse(first.at) - startedAt) / 1000 - first.windowSeconds,
      to: (Date.parse(last.at) - startedAt) / 1000,
      seconds: some.reduce((sum, { windowSeconds }) => sum + windowSeconds, 0),
      totals: totalsOf(some),
    })
  }
  return windows
}

/** How long the load took, ramp and peak. */
export const loadSeconds = ({ runners }: LoadtestResult): number =>
  runners[0]?.settings.phases.find(({ name }) => name === 'peak')?.toSeconds ?? 0

/** When the first runner's scenario began, in Unix milliseconds. */
export const startOf = ({ runners }: LoadtestResult): number =>
  Math.min(...runners.map(({ startedAt }) => Date.parse(startedAt)))

/** What a kind of traffic came to in a window, whatever the phase. */
export function trafficInWindow(
  kind: TrafficKind,
  totals: Totals,
): { ok: number; failed: number; latency: HistogramData } {
  const traffic = PHASES.map((phase) => trafficOf(kind, totals, phase))
  return {
    ok: traffic.reduce((sum, phase) => sum + phase.ok, 0),
    failed: traffic.reduce((sum, phase) => sum + phase.failed, 0),
    latency: mergeHistograms(traffic.map((phase) => phase.latency)),
  }
}

function pointOf({ from, to, seconds, totals }: Window, kind: TrafficKind): ChartPoint {
  const { ok, latency } = trafficInWindow(kind, totals)
  const at = (percent: number): number | null => {
    const ms = percentileMs(latency, percent)
    return ms === undefined ? null : rounded(ms)
  }
  return [Math.round(5 * (from + to)) / 10, rounded(ok / seconds), at(50), at(95), at(99)]
}
