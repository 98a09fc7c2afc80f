/** Counts and times requests by phase. Runs inside k6, in the init context. */
import { Counter, Rate, Trend } from 'k6/metrics'
import { SENDING_PHASES, type SendingPhase } from './lib.phases.ts'
import { type BucketRecorder, bucketRecorder } from './lib.k6.bucket-recorder.ts'

export type RequestMeter = {
  sent(phase: SendingPhase): void
  /** Every request that ends is timed, failed ones too: then the buckets add up to what was sent. */
  ended(phase: SendingPhase, latency: string, ok: boolean, ms: number): void
}

/**
 * @param noun `updates` makes the counters `updates_sent_<phase>`, `updates_ok_<phase>`, `updates_failed_<phase>`
 * @param latencies names of the histograms, each `<name>_<phase>`
 * @param trend name of k6's own trend of the peak, which k6's thresholds and the cross-check read
 */
export function requestMeter(noun: string, latencies: readonly string[], trend: string): RequestMeter {
  const byPhase = (name: string) => new Map(SENDING_PHASES.map((phase) => [phase, new Counter(`${name}_${phase}`)]))
  const sent: Counters = byPhase(`${noun}_sent`)
  const ok: Counters = byPhase(`${noun}_ok`)
  const failed: Counters = byPhase(`${noun}_failed`)
  const recorders = new Map<string, BucketRecorder>()
  for (const latency of latencies) {
    for (const phase of SENDING_PHASES) recorders.set(`${latency}_${phase}`, bucketRecorder(`${latency}_${phase}`))
  }
  const success = new Rate(`${noun}_success_peak`)
  const peakTrend = new Trend(trend, true)

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
