/** The counts of all runners of a result together. */
import type { HistogramData, LoadtestResult, PhaseName } from '../../results-format.ts'
import { mergeHistograms } from '../../scenarios/lib/histogram.ts'

/** The phases that counters and histograms are named after. */
export const PHASES = ['ramp', 'peak', 'cool'] as const satisfies readonly PhaseName[]

export type Totals = {
  readonly counters: Readonly<Record<string, number>>
  readonly histograms: Readonly<Record<string, HistogramData>>
}

/** @throws {RangeError} when runners counted in buckets of different shape */
export function totalsOf(parts: readonly Totals[]): Totals {
  const counters: Record<string, number> = {}
  const histograms = new Map<string, HistogramData[]>()
  for (const part of parts) {
    for (const [name, count] of Object.entries(part.counters)) counters[name] = (counters[name] ?? 0) + count
    for (const [name, histogram] of Object.entries(part.histograms)) {
      histograms.set(name, [...(histograms.get(name) ?? []), histogram])
    }
  }
  return {
    counters,
    histograms: Object.fromEntries([...histograms].map(([name, list]) => [name, mergeHistograms(list)])),
  }
}

/** A counter; one that was never touched is 0. */
export const countOf = (totals: Totals, name: string): number => totals.counters[name] ?? 0

/** Requests or messages of one phase, whatever the scenario calls them. */
export type Traffic = {
  readonly sent: number
  readonly ok: number
  readonly failed: number
  /** Of requests: how long the answer took. Of messages: from the publisher's send to the receipt. */
  readonly latency: HistogramData
}

/** How a scenario names what it counts; its histograms may have a further word, as in `report_latency_daily_peak`. */
const NAMES = {
  'call-state-updates': { ok: 'updates_ok', failed: 'updates_failed', sent: 'updates_sent', latency: 'update_latency' },
  'reporting-endpoints': {
    ok: 'reports_ok',
    failed: 'reports_failed',
    sent: 'reports_sent',
    latency: 'report_latency',
  },
  'redis-pubsub': {
    ok: 'messages_published',
    failed: 'publish_failed',
    sent: undefined,
    latency: 'delivery_latency',
  },
} as const

export function trafficOf(scenario: LoadtestResult['scenario'], totals: Totals, phase: PhaseName): Traffic {
  const names = NAMES[scenario as keyof typeof NAMES]
  const ok = countOf(totals, `${names.ok}_${phase}`)
  const failed = countOf(totals, `${names.failed}_${phase}`)
  return {
    ok,
    failed,
    sent: names.sent === undefined ? ok + failed : countOf(totals, `${names.sent}_${phase}`),
    latency: latencyOf(names.latency, totals, phase),
  }
}

/** Every histogram `<name>_<phase>` and `<name>_<word>_<phase>` as one. */
export function latencyOf(name: string, { histograms }: Totals, phase: PhaseName): HistogramData {
  const mine = Object.entries(histograms).filter(
    ([key]) => key === `${name}_${phase}` || (key.startsWith(`${name}_`) && key.endsWith(`_${phase}`)),
  )
  return mergeHistograms(mine.map(([, histogram]) => histogram))
}
