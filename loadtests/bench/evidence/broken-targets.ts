/** Which targets a part of a run does not meet, whatever its rate. */
import { type ScenarioName, TRAFFIC, type TrafficKind, targetsOf, trafficIn } from '@hopwhistle/contract/scenarios.ts'
import { ms, number } from '@hopwhistle/platform/document/figures.ts'
import type { SeriesPoint } from '../../results-format.ts'
import { bucketIndex, histogramCount, mergeHistograms, percentileMs } from '../../scenarios/lib/histogram.ts'
import { offeredPerSecond } from '../../scenarios/lib/profiles.ts'
import { countOf, type Totals, totalsOf } from '../../scenarios/lib/totals.ts'
import { PHASES, trafficOf } from './traffic.ts'

/** Of fewer samples, a percentile says nothing. */
const LEAST_SAMPLES = 50
/** More than this part of the iterations was not begun: all virtual users wait for answers. */
const DROPPED_ALLOWED = 0.01

/** @returns a clause for each: `p95 of updates 412 ms, target <300 ms` */
export function brokenTargets(scenario: ScenarioName, totals: Totals): readonly string[] {
  const kinds = trafficIn(scenario).flatMap((kind) => brokenOf(scenario, kind, totals))
  const dropped = countOf(totals, 'k6_dropped_iterations')
  const begun = countOf(totals, 'k6_iterations')
  return dropped > DROPPED_ALLOWED * (begun + dropped)
    ? [
        ...kinds,
        `${number(dropped)} of ${number(begun + dropped)} iterations not begun, all virtual users were waiting`,
      ]
    : kinds
}

function brokenOf(scenario: ScenarioName, kind: TrafficKind, totals: Totals): readonly string[] {
  const targets = targetsOf(scenario)[kind]
  const traffic = PHASES.map((phase) => trafficOf(kind, totals, phase))
  const latency = mergeHistograms(traffic.map(({ latency }) => latency))
  if (targets === undefined || histogramCount(latency) < LEAST_SAMPLES) return []
  const { many } = TRAFFIC[kind]
  const slow = latencyTargets(targets).flatMap(([percent, target]) => {
    const measured = percentileMs(latency, percent)
    if (measured === undefined || measured < target) return []
    return [`p${percent} of ${many} ${ms(measured)}, target <${number(target)} ms`]
  })
  const [ok, failed] = [sum(traffic, 'ok'), sum(traffic, 'failed')]
  const least = leastPercent(targets)
  const share = (100 * ok) / (ok + failed)
  return share > least ? slow : [...slow, `success of ${many} ${number(share, 1)} %, target >${number(least)} %`]
}

type Targets = NonNullable<ReturnType<typeof targetsOf>[TrafficKind]>

/** Percentiles with their targets in milliseconds. */
const latencyTargets = ({
  p50Ms,
  p95Ms,
  p99Ms,
}: Targets): readonly (readonly [percent: number, targetMs: number])[] => [
  ...(p50Ms === undefined ? [] : [[50, p50Ms] as const]),
  [95, p95Ms],
  [99, p99Ms],
]

/** The part that has to succeed. */
const leastPercent = (targets: Targets): number =>
  'successPercent' in targets ? targets.successPercent : targets.deliveryPercent

const sum = (traffic: readonly { readonly ok: number; readonly failed: number }[], name: 'ok' | 'failed') =>
  traffic.reduce((total, one) => total + one[name], 0)

/** Shorter windows hold a pause of a garbage collection or a checkpoint, not what a rate does. */
const LEAST_SECONDS = 5
/** One may be a disturbance. */
const IN_A_ROW = 2

export type RateWindow = {
  /** In Unix milliseconds. */
  readonly from: number
  readonly to: number
  /** Of the first kind of traffic, that was answered well. */
  readonly ratePerSecond: number
  readonly broken: readonly string[]
}

/** @param series from the beginning of the load */
export function rateWindows(scenario: ScenarioName, series: readonly SeriesPoint[]): readonly RateWindow[] {
  const windows: RateWindow[] = []
  let some: SeriesPoint[] = []
  for (const point of series) {
    some.push(point)
    const seconds = some.reduce((sum, { windowSeconds }) => sum + windowSeconds, 0)
    if (seconds < LEAST_SECONDS) continue
    const to = Date.parse(point.at)
    const totals = totalsOf(some)
    const [first] = trafficIn(scenario)
    const ok = sum(
      PHASES.map((phase) => trafficOf(first, totals, phase)),
      'ok',
    )
    windows.push({
      from: to - 1000 * seconds,
      to,
      ratePerSecond: ok / seconds,
      broken: brokenTargets(scenario, totals),
    })
    some = []
  }
  return windows
}

/** The first window of those in which a target was broken and stayed so; -1 where none was. */
export const breaksAt = (windows: readonly RateWindow[]): number =>
  windows.findIndex(
    (_, i) => i + IN_A_ROW <= windows.length && windows.slice(i, i + IN_A_ROW).every(({ broken }) => broken.length > 0),
  )

/**
 * Whether a target can no longer be met, whatever follows: more of what was planned is already above it, or failed, than
 * the target allows of the whole peak.
 *
 * @param peak how long it is to be, how many subscribers receive each message, and how many times the rate of the target
 *   is offered
 * @returns the first such target, with its figures
 */
export function hopelessTarget(
  scenario: ScenarioName,
  peak: { readonly seconds: number; readonly subscribers: number; readonly times: number },
  totals: Totals,
): string | undefined {
  for (const kind of trafficIn(scenario)) {
    const targets = targetsOf(scenario)[kind]
    if (targets === undefined) continue
    const { failed, latency } = trafficOf(kind, totals, 'peak')
    const { many } = TRAFFIC[kind]
    const planned = offeredPerSecond(peak.times * targets.ratePerSecond) * peak.seconds
    const least = leastPercent(targets)
    if (failed > (1 - least / 100) * planned) {
      return `${number(failed)} ${many} failed, more than ${number(100 - least, 2)} % of all ${number(planned)} that were planned`
    }
    const timed = kind === 'messages' ? planned * peak.subscribers : planned
    for (const [percent, target] of latencyTargets(targets)) {
      const limit = bucketIndex(target)
      const above = latency.counts.reduce((all, [index, count]) => (index > limit ? all + count : all), 0)
      if (above > (1 - percent / 100) * timed) {
        return `${number(above)} ${many} took longer than ${number(target)} ms, more than ${number(100 - percent)} % of all ${number(timed)} that were planned`
      }
    }
  }
  return undefined
}
