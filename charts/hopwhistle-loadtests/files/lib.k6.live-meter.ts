/** The k6 metrics of the live scenario. Runs inside k6, in the init context. */
import { Counter, Trend } from 'k6/metrics'
import { SENDING_PHASES, type SendingPhase } from './lib.phases.ts'
import { type BucketRecorder, bucketRecorder } from './lib.k6.bucket-recorder.ts'

/** Histograms and the phases that have one. */
const LIVE_LATENCIES = {
  delivery_latency: ['ramp', 'peak'],
  publish_latency: ['ramp', 'peak'],
  /** How long frames waited in k6 between the network and their handler: k6's own lateness in receiving. */
  receive_lag: ['peak'],
  /** How long after it was due a message was sent: k6's own lateness in sending. */
  schedule_lag: ['peak'],
} as const satisfies Record<string, readonly SendingPhase[]>
export type LiveLatency = keyof typeof LIVE_LATENCIES

/** Counters, one for each phase. */
export const PUBLISH_COUNTERS = ['messages_published', 'publish_failed', 'publish_retried', 'publish_dropped'] as const
export type PublishCounter = (typeof PUBLISH_COUNTERS)[number]

/** Counters of the whole test. */
export const DELIVERY_COUNTERS = [
  'messages_due',
  'messages_delivered',
  'messages_duplicated',
  'messages_reordered',
  'messages_lost',
  'messages_foreign',
  'messages_mismatched',
  'frames_received',
  'frames_malformed',
  'subscribers_connected',
  'subscribers_failed',
  'subscribers_reconnected',
  'subscribers_unrecovered',
] as const
export type DeliveryCounter = (typeof DELIVERY_COUNTERS)[number]

export const liveHistograms = (): string[] =>
  Object.entries(LIVE_LATENCIES).flatMap(([name, phases]) => phases.map((phase) => `${name}_${phase}`))

export const liveCounters = (): string[] => [
  ...PUBLISH_COUNTERS.flatMap((name) => SENDING_PHASES.map((phase) => `${name}_${phase}`)),
  ...DELIVERY_COUNTERS,
]

export type LiveMeter = {
  count(name: DeliveryCounter, by: number): void
  countIn(phase: SendingPhase, name: PublishCounter, by: number): void
  /** Undefined for a phase that has no such histogram. */
  latency(phase: SendingPhase, name: LiveLatency): BucketRecorder | undefined
  /** k6's own trend of a tenth of the checkers' messages of the peak, for k6's thresholds. */
  readonly deliveryTrend: Trend
  /** k6's own trend of every publish of the peak, to check the buckets against. */
  readonly publishTrend: Trend
}

export function liveMeter(): LiveMeter {
  const counters = new Map(liveCounters().map((name) => [name, new Counter(name)]))
  const recorders = new Map(liveHistograms().map((name) => [name, bucketRecorder(name)]))
  return {
    count: (name, by) => counters.get(name)?.add(by),
    countIn: (phase, name, by) => counters.get(`${name}_${phase}`)?.add(by),
    latency: (phase, name) => recorders.get(`${name}_${phase}`),
    deliveryTrend: new Trend('delivery_latency_peak', true),
    publishTrend: new Trend('publish_latency_peak', true),
  }
}
