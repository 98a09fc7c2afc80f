/** The one line that shows a running scenario. */
import type { ScenarioName } from '@hopwhistle/contract/slos.ts'
import type { PhaseSpan, SeriesPoint } from '../../results-format.ts'
import { mergeHistograms, percentileMs } from '../../scenarios/lib/histogram.ts'
import type { K6Snapshot } from '../collect/k6-snapshot.ts'

type Names = { readonly done: string; readonly failed: string; readonly latency: string; readonly unit: string }

const NAMES: Readonly<Record<ScenarioName, Names>> = {
  'call-state-updates': {
    done: 'updates_ok_',
    failed: 'updates_failed_',
    latency: 'update_latency_',
    unit: 'updates/s',
  },
  'reporting-endpoints': {
    done: 'reports_ok_',
    failed: 'reports_failed_',
    latency: 'report_latency_',
    unit: 'requests/s',
  },
  'redis-pubsub': {
    done: 'messages_published_',
    failed: 'publish_failed_',
    latency: 'delivery_latency_',
    unit: 'messages/s',
  },
}

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
  const { failed, latency, unit } = NAMES[scenario]
  const rate = doneIn(scenario, point.counters) / point.windowSeconds
  const p95 = percentileMs(
    mergeHistograms(Object.entries(point.histograms).flatMap(([name, h]) => (name.startsWith(latency) ? [h] : []))),
    95,
  )
  const lost = total.counters.messages_lost ?? 0
  return [
    ...parts,
    `${rate.toFixed(0)} ${unit}${shares}`,
    p95 === undefined ? '' : `p95 ${p95 < 10 ? p95.toFixed(1) : p95.toFixed(0)} ms`,
    `${sumOf(total.counters, failed)} failed${lost > 0 ? `, ${lost} lost` : ''}`,
  ].join('  ')
}

/** How many updates, requests or messages succeeded, in all phases. */
export const doneIn = (scenario: ScenarioName, counters: Readonly<Record<string, number>>): number =>
  sumOf(counters, NAMES[scenario].done)

function sumOf(counters: Readonly<Record<string, number>>, prefix: string): number {
  return Object.entries(counters).reduce((sum, [name, count]) => (name.startsWith(prefix) ? sum + count : sum), 0)
}

function clock(seconds: number): string {
  const whole = Math.floor(seconds)
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}
