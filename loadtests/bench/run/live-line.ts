/** The one line that shows a running scenario. */
import { type ScenarioName, TRAFFIC, type TrafficKind, trafficIn } from '@hopwhistle/contract/scenarios.ts'
import type { PhaseSpan, SeriesPoint } from '../../results-format.ts'
import { mergeHistograms, percentileMs } from '../../scenarios/lib/histogram.ts'
import type { K6Snapshot } from '../collect/k6-snapshot.ts'

/**
 * @param sinceStartSeconds of the load, not of k6
 * @param shares what of the rate is whose, when there are several runners
 */
export function liveLine(
  scenario: ScenarioName,
  phases: readonly PhaseSpan[],
  sinceStartSeconds: number,
  point?: SeriesPoint,
  total?: K6Snapshot,
  shares = '',
): string {
  const end = phases.findLast(({ name }) => name === 'peak')?.toSeconds ?? 0
  const parts = [
    `  … ${scenario.padEnd(19)}`,
    (phases.findLast(({ fromSeconds }) => sinceStartSeconds >= fromSeconds)?.name ?? 'ramp').padEnd(4),
    `${clock(Math.min(sinceStartSeconds, end))} of ${clock(end)}`,
  ]
  if (point === undefined || total === undefined) return [...parts, 'k6 is starting'].join('  ')
  const [kind, ...others] = trafficIn(scenario)
  const { latency } = TRAFFIC[kind]
  const rate = (of: TrafficKind) =>
    `${(doneOf(of, point.counters) / point.windowSeconds).toFixed(0)} ${TRAFFIC[of].rate.unit}`
  const p95 = percentileMs(
    mergeHistograms(
      Object.entries(point.histograms).flatMap(([name, h]) => (name.startsWith(`${latency}_`) ? [h] : [])),
    ),
    95,
  )
  const lost = total.counters.messages_lost ?? 0
  return [
    ...parts,
    `${rate(kind)}${shares}`,
    ...others.map(rate),
    p95 === undefined ? '' : `p95 ${p95 < 10 ? p95.toFixed(1) : p95.toFixed(0)} ms`,
    `${failedIn(scenario, total.counters)} failed${lost > 0 ? `, ${lost} lost` : ''}`,
  ].join('  ')
}

type Counters = Readonly<Record<string, number>>

/** How many updates, requests or messages succeeded, in all phases; of several kinds, the first. */
export const doneIn = (scenario: ScenarioName, counters: Counters): number => doneOf(trafficIn(scenario)[0], counters)

const doneOf = (kind: TrafficKind, counters: Counters): number => sumOf(counters, `${TRAFFIC[kind].counters.ok}_`)

const failedIn = (scenario: ScenarioName, counters: Counters): number =>
  trafficIn(scenario).reduce((sum, kind) => sum + sumOf(counters, `${TRAFFIC[kind].counters.failed}_`), 0)

function sumOf(counters: Counters, prefix: string): number {
  return Object.entries(counters).reduce((sum, [name, count]) => (name.startsWith(prefix) ? sum + count : sum), 0)
}

function clock(seconds: number): string {
  const whole = Math.floor(seconds)
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}
