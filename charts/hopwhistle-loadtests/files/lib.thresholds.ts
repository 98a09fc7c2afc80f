/**
 * The targets as k6 thresholds, so that k6's own exit code (99) is right for a run on a single machine.
 *
 * k6 passes a latency threshold when nothing was measured, and skips a rate of nothing: the count thresholds fail
 * a run without traffic. Every runner judges its own share; only the merged result judges the whole.
 */
import { SLOS } from './contract.slos.ts'
import type { LiveSettings, RequestSettings } from './lib.settings.ts'

type Thresholds = Record<string, string[]>

export function callStateThresholds(settings: RequestSettings): Thresholds {
  const slo = SLOS['call-state-updates']
  return {
    updates_ok_peak: [`count>=${shareOfPeak(settings)}`],
    updates_success_peak: [`rate>${slo.successPercent / 100}`],
    update_latency_peak: [`p(95)<${slo.p95Ms}`, `p(99)<${slo.p99Ms}`],
    dropped_iterations: ['count==0'],
  }
}

export function reportingThresholds(settings: RequestSettings): Thresholds {
  const slo = SLOS['reporting-endpoints']
  return {
    reports_ok_peak: [`count>=${shareOfPeak(settings)}`],
    reports_success_peak: [`rate>${slo.successPercent / 100}`],
    report_latency_peak: [`p(50)<${slo.p50Ms}`, `p(95)<${slo.p95Ms}`, `p(99)<${slo.p99Ms}`],
    dropped_iterations: ['count==0'],
  }
}

export function liveThresholds(settings: LiveSettings): Thresholds {
  const slo = SLOS['redis-pubsub']
  const { shape, offeredPerSecond, parallelism } = settings
  const planned = offeredPerSecond * (shape.rampSeconds / 2 + shape.peakSeconds)
  const subscribersHere = Math.floor(shape.subscribers / parallelism)
  const dueHere = planned * subscribersHere
  // A publisher is never divided, so runners may differ by one.
  const publishersHere = Math.floor(shape.publishers / parallelism)
  const publishedHere = (shape.targetPerSecond * shape.peakSeconds * publishersHere) / shape.publishers
  return {
    messages_published_peak: [`count>=${Math.floor(publishedHere)}`],
    messages_delivered: [`count>=${Math.floor((dueHere * slo.deliveryPercent) / 100)}`],
    subscribers_failed: ['count==0'],
    delivery_latency_peak: [`p(50)<${slo.p50Ms}`, `p(95)<${slo.p95Ms}`, `p(99)<${slo.p99Ms}`],
  }
}

/** What one runner must reach during the peak, at the target rate. */
function shareOfPeak({ shape, parallelism }: RequestSettings): number {
  return Math.floor((shape.targetPerSecond * shape.peakSeconds) / parallelism)
}
