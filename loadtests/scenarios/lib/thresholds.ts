/**
 * The targets as k6 thresholds, so that k6's own exit code (99) is right for a run on a single machine.
 *
 * k6 passes a latency threshold when nothing was measured, and skips a rate of nothing: the count thresholds fail
 * a run without traffic. Every runner judges its own share; only the merged result judges the whole.
 */
import {
  type MessageTargets,
  type RequestShape,
  type RequestTargets,
  rateOf,
  TRAFFIC,
  targetsOf,
} from '../../../contract/scenarios.ts'
import type { LiveSettings, Settings } from './settings.ts'

type Thresholds = Record<string, string[]>

/** Those of every kind of traffic that the scenario carries. */
export function thresholdsOf(settings: Settings): Thresholds {
  const { updates, reports, messages } = targetsOf(settings.scenario)
  const { shape } = settings
  return {
    ...(updates === undefined ? {} : requestThresholds('updates', updates, settings)),
    ...(reports === undefined ? {} : requestThresholds('reports', reports, settings)),
    ...(messages === undefined || !('subscribers' in shape) ? {} : liveThresholds(messages, { ...settings, shape })),
  }
}

function requestThresholds(kind: 'updates' | 'reports', targets: RequestTargets, settings: Settings): Thresholds {
  const { counters, latency } = TRAFFIC[kind]
  return {
    [`${counters.ok}_peak`]: [`count>=${shareOfPeak(kind, settings)}`],
    [`${kind}_success_peak`]: [`rate>${targets.successPercent / 100}`],
    [`${latency}_peak`]: latencies(targets),
    dropped_iterations: ['count==0'],
  }
}

function liveThresholds(targets: MessageTargets, settings: LiveSettings): Thresholds {
  const { shape, offeredPerSecond, parallelism, tenants } = settings
  const planned = offeredPerSecond * (shape.rampSeconds / 2 + shape.peakSeconds)
  const subscribersHere = Math.floor(shape.subscribers / parallelism)
  const dueHere = planned * subscribersHere
  // A publisher is never divided, so runners may differ by one.
  const publishersHere = Math.floor(shape.publishers / parallelism)
  const publishedHere = (shape.targetPerSecond * shape.peakSeconds * publishersHere) / shape.publishers
  // To how many subscribers a message is due depends on its tenant: the result counts it.
  const deliveredHere = tenants > 1 ? 1 : Math.floor((dueHere * targets.deliveryPercent) / 100)
  return {
    messages_published_peak: [`count>=${Math.floor(publishedHere)}`],
    messages_delivered: [`count>=${deliveredHere}`],
    subscribers_failed: ['count==0'],
    delivery_latency_peak: latencies(targets),
  }
}

const latencies = ({ p50Ms, p95Ms, p99Ms }: RequestTargets | MessageTargets): string[] => [
  ...(p50Ms === undefined ? [] : [`p(50)<${p50Ms}`]),
  `p(95)<${p95Ms}`,
  `p(99)<${p99Ms}`,
]

/** What one runner must reach during the peak, at the target rate. */
function shareOfPeak(kind: 'updates' | 'reports', { scenario, shape, parallelism }: Settings): number {
  const { targetPerSecond, peakSeconds }: Pick<RequestShape, 'targetPerSecond' | 'peakSeconds'> = shape
  return Math.floor((rateOf(scenario, kind, targetPerSecond) * peakSeconds) / parallelism)
}
