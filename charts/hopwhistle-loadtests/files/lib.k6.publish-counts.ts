/** What one publisher counts in plain JavaScript between two flushes to k6's metrics. */
import { type BucketCounts, bucketCounts } from './lib.bucket-counts.ts'
import { SENDING_PHASES, type SendingPhase } from './lib.phases.ts'
import { type LiveMeter, PUBLISH_COUNTERS, type PublishCounter } from './lib.k6.live-meter.ts'

export type PublishCounts = {
  /** By phase; the phase is when the message was due. */
  readonly of: Readonly<Record<SendingPhase, PhaseCounts>>
  /** A published message is due to so many subscribers, those of other runners included. */
  due(subscribers: number): void
  flush(): void
}

type PhaseCounts = Record<PublishCounter, number> & { readonly latency: BucketCounts; readonly lag: BucketCounts }

export function publishCounts(meter: LiveMeter): PublishCounts {
  const zero = (): PhaseCounts => ({
    messages_published: 0,
    publish_failed: 0,
    publish_retried: 0,
    publish_dropped: 0,
    latency: bucketCounts(),
    lag: bucketCounts(),
  })
  const of = { ramp: zero(), peak: zero() }
  let due = 0
  return {
    of,
    due: (subscribers) => {
      due += subscribers
    },
    flush() {
      meter.count('messages_due', due)
      due = 0
      for (const phase of SENDING_PHASES) {
        const counts = of[phase]
        for (const name of PUBLISH_COUNTERS) {
          meter.countIn(phase, name, counts[name])
          counts[name] = 0
        }
        counts.latency.flush((bucket, count) => meter.latency(phase, 'publish_latency')?.add(bucket, count))
        counts.lag.flush((bucket, count) => meter.latency(phase, 'schedule_lag')?.add(bucket, count))
      }
    },
  }
}
