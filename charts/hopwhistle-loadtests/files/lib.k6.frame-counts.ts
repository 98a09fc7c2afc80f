/** What the subscribers of one VU count in plain JavaScript between two flushes to k6's metrics. */
import type { DeliveryTally, Totals } from './lib.delivery-tally.ts'
import { type MsCounts, msCounts } from './lib.ms-counts.ts'
import { SENDING_PHASES, type SendingPhase } from './lib.phases.ts'
import type { BucketRecorder } from './lib.k6.bucket-recorder.ts'
import type { LiveMeter } from './lib.k6.live-meter.ts'

export type FrameCounts = {
  frames: number
  malformed: number
  connected: number
  reconnected: number
  unrecovered: number
  /** Where what was sent then is counted. */
  of(sentAt: number): PhaseCounts
  flush(isFinal?: boolean): void
  /** Flushes, with what is only known at the end. @param subscribers how many there should have been */
  finish(subscribers: number): void
}

export type PhaseCounts = {
  readonly phase: SendingPhase
  /** From the publisher's send to the handler, of every message. */
  readonly latency: MsCounts
  /** How long frames waited in k6 between the network and their handler. */
  readonly lag: MsCounts
}

/** @param peakAt Unix milliseconds: what was sent from then on, however late, belongs to the peak */
export function frameCounts(meter: LiveMeter, tally: DeliveryTally, peakAt: number): FrameCounts {
  const [ramp, peak] = SENDING_PHASES.map(
    (phase): PhaseCounts => ({ phase, latency: msCounts(), lag: msCounts() }),
  ) as [PhaseCounts, PhaseCounts]

  const reported = { delivered: 0, duplicated: 0, reordered: 0 }
  let sumConnected = 0
  const report = (name: keyof typeof reported, totals: Totals): void => {
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
    of: (sentAt) => (sentAt < peakAt ? ramp : peak),
    flush(isFinal = false) {
      const totals = tally.totals(isFinal)
      for (const name of ['delivered', 'duplicated', 'reordered'] as const) report(name, totals)
      meter.count('frames_received', counts.frames)
      meter.count('frames_malformed', counts.malformed)
      meter.count('subscribers_connected', counts.connected)
      meter.count('subscribers_reconnected', counts.reconnected)
      meter.count('subscribers_unrecovered', counts.unrecovered)
      sumConnected += counts.connected
      counts.frames = counts.malformed = counts.connected = counts.reconnected = counts.unrecovered = 0
      for (const { phase, latency, lag } of [ramp, peak]) {
        flushTo(latency, meter.latency(phase, 'delivery_latency'))
        flushTo(lag, meter.latency(phase, 'receive_lag'))
      }
    },
    finish(subscribers) {
      counts.flush(true)
      const { lost, foreign, mismatched } = tally.totals(true)
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
