/** What a kind of traffic came to in one phase. */
import { TRAFFIC, type TrafficKind } from '@hopwhistle/contract/scenarios.ts'
import type { HistogramData, PhaseName } from '../../results-format.ts'
import { countOf, latencyOf, type Totals } from '../../scenarios/lib/totals.ts'

/** The phases that counters and histograms are named after. */
export const PHASES = ['ramp', 'peak', 'cool'] as const satisfies readonly PhaseName[]

/** Requests or messages of one phase, whatever they are called. */
export type Traffic = {
  readonly sent: number
  readonly ok: number
  readonly failed: number
  /** Of requests: how long the answer took. Of messages: from the publisher's send to the receipt. */
  readonly latency: HistogramData
}

export function trafficOf(kind: TrafficKind, totals: Totals, phase: PhaseName): Traffic {
  const { counters, latency } = TRAFFIC[kind]
  const ok = countOf(totals, `${counters.ok}_${phase}`)
  const failed = countOf(totals, `${counters.failed}_${phase}`)
  return {
    ok,
    failed,
    sent: 'sent' in counters ? countOf(totals, `${counters.sent}_${phase}`) : ok + failed,
    latency: latencyOf(latency, totals, phase),
  }
}
