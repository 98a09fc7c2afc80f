/** What the subscribers of one VU count in plain JavaScript between two flushes to k6's metrics. */
import type { PhaseName, PhaseSpan } from '../../../results-format.ts'
import type { DeliveryTally, Totals } from '../delivery-tally.ts'
import { type MsCounts, msCounts } from '../ms-counts.ts'
import { LIVE_PHASES } from '../phases.ts'
import type { BucketRecorder } from './bucket-recorder.ts'
import type { LiveMeter } from './live-meter.ts'

export type FrameCounts = {
  frames: number
  malformed: number
  connected: number
  reconnected: number
  unrecovered: number
  /** Where what was sent then is counted. */
  of(sentAt: number): PhaseCounts
  flush(): void
  /** Flushes, with what is only known at the end. @param subscribers how many there should have been */
  finish(subscribers: number): void
}

export type PhaseCounts = {
  readonly phase: PhaseName
  /** Latencies of single messages. */
  readonly exact: MsCounts
  /** Latencies that no message of a frame exceeds. */
  readonly bound: MsCounts
  /** How long frames waited in k6 between the network and their handler. */
  readonly lag: MsCounts
}

/** @param beganAt Unix milliseconds, to which the phases are relative */
export function frameCounts(
  meter: LiveMeter,
  tally: DeliveryTally,
  phases: readonly PhaseSpan[],
  beganAt: number,
): FrameCounts {
  const [ramp, peak, cool] = LIVE_PHASES.map(
    (phase): PhaseCounts => ({ phase, exact: msCounts(), bound: msCounts(), lag: msCounts() }),
  ) as [PhaseCounts, PhaseCounts, PhaseCounts]
  const beginOf = (name: PhaseName) =>
    beganAt + 1000 * (phases.find((phase) => phase.name === name)?.fromSeconds ?? Number.POSITIVE_INFINITY)
  const peakAt = beginOf('peak')
  const coolAt = beginOf('cool')

  const reported = { delivered: 0, duplicated: 0, reordered: 0 }
  let sumConnected = 0
  const report = (name: keyof typeof reported, totals: Totals): void => {
    // A foreign message is taken off once the checker has read it, a moment after others counted it: never report back.
    const more = totals[name] - reported[name]
    if (more <= 0) return
    meter.count(`messages_${name}`, more)
    reported[name] += more
  }

  const counts: FrameCounts = {
    frames: 0,
    malformed: 0,
    connected: 0,
    reconnected: 0,
    unrecovered: 0,
    of: (sentAt) => (sentAt < peakAt ? ramp : sentAt < coolAt ? peak : cool),
    flush() {
      const totals = tally.totals()
      for (const name of ['delivered', 'duplicated', 'reordered'] as const) report(name, totals)
      meter.count('frames_received', counts.frames)
      meter.count('frames_malformed', counts.malformed)
      meter.count('subscribers_connected', counts.connected)
      meter.count('subscribers_reconnected', counts.reconnected)
      meter.count('subscribers_unrecovered', counts.unrecovered)
      sumConnected += counts.connected
      counts.frames = counts.malformed = counts.connected = counts.reconnected = counts.unrecovered = 0
      for (const { phase, exact, bound, lag } of [ramp, peak, cool]) {
        flushTo(exact, meter.latency(phase, 'delivery_latency'))
        flushTo(bound, meter.latency(phase, 'delivery_bound'))
        flushTo(lag, meter.latency(phase, 'receive_lag'))
      }
    },
    finish(subscribers) {
      counts.flush()
      const { lost, foreign, mismatched } = tally.totals()
      meter.count('messages_lost', lost)
      meter.count('messages_foreign', foreign)
      meter.count('messages_mismatched', mismatched)
      meter.count('subscribers_failed', subscribers - sumConnected)
    },
  }
  return counts
}

function flushTo(counts: MsCounts, recorder: BucketRecorder | undefined): void {
  counts.flush((bucket, count) => recorder?.add(bucket, count))
}
