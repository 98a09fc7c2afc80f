/** Counts and times requests by phase. Runs inside k6, in the init context. */
import { Counter, Rate, Trend } from 'k6/metrics'
import { TRAFFIC } from './contract.scenarios.ts'
import { SENDING_PHASES, type SendingPhase } from './lib.phases.ts'
import { type BucketRecorder, bucketRecorder } from './lib.k6.bucket-recorder.ts'

export type RequestMeter = {
  sent(phase: SendingPhase): void
  /** Every request that ends is timed, failed ones too: then the buckets add up to what was sent. */
  ended(phase: SendingPhase, latency: string, ok: boolean, ms: number): void
}

type RequestKind = 'updates' | 'reports'

/** Of the kind's counters, those of each phase. */
export const requestCounters = (kind: RequestKind): string[] =>
  Object.values(TRAFFIC[kind].counters).flatMap((name) => SENDING_PHASES.map((phase) => `${name}_${phase}`))

/**
 * k6's own trend of the peak, which k6's thresholds and the cross-check read, is the kind's histogram without a further
 * word.
 *
 * @param latencies names of the histograms, each `<name>_<phase>`
 */
export function requestMeter(kind: RequestKind, latencies: readonly string[]): RequestMeter {
  const { counters, latency } = TRAFFIC[kind]
  const byPhase = (name: string) => new Map(SENDING_PHASES.map((phase) => [phase, new Counter(`${name}_${phase}`)]))
  const sent: Counters = byPhase(counters.sent)
  const ok: Counters = byPhase(counters.ok)
  const failed: Counters = byPhase(counters.failed)
  const recorders = new Map<string, BucketRecorder>()
  for (const latency of latencies) {
    for (const phase of SENDING_PHASES) recorders.set(`${latency}_${phase}`, bucketRecorder(`${latency}_${phase}`))
  }
  const success = new Rate(`${kind}_success_peak`)
  const peakTrend = new Trend(`${latency}_peak`, true)

  return {
    sent: (phase) => sent.get(phase)?.add(1),
    ended(phase, latency, isOk, ms) {
      ;(isOk ? ok : failed).get(phase)?.add(1)
      recorders.get(`${latency}_${phase}`)?.record(ms)
      if (phase !== 'peak') return
      success.add(isOk)
      peakTrend.add(ms)
    },
  }
}

type Counters = ReadonlyMap<SendingPhase, Counter>
