/** The figures that the contract sets targets for, measured over the peak of all runners together. */
import {
  rateOf,
  type ScenarioName,
  TRAFFIC,
  type TrafficKind,
  targetsOf,
  trafficIn,
} from '@hopwhistle/contract/scenarios.ts'
import { percentileMs } from '../../scenarios/lib/histogram.ts'
import { countOf, type Totals } from '../../scenarios/lib/totals.ts'
import { type Traffic, trafficOf } from './traffic.ts'
import { type Metric, type MetricName, meets } from './verdict.ts'

export type Measured = {
  readonly totals: Totals
  readonly peakSeconds: number
  /** The rate to be reached by the first kind of traffic; the contract's, but for a profile that proves nothing. */
  readonly targetPerSecond: number
}

/**
 * The table of one scenario, in the order of the document. Statuses are those of a valid run.
 *
 * Of several kinds of traffic, the figures of the first come first; those of the others say whose they are.
 */
export function metricsOf(scenario: ScenarioName, measured: Measured): readonly Metric[] {
  return trafficIn(scenario).flatMap((kind, i) => {
    const metrics = metricsOfKind(scenario, kind, measured)
    if (i === 0) return metrics
    return metrics.map((metric) => ({ ...metric, label: `${metric.label} of ${TRAFFIC[kind].many}`, of: kind }))
  })
}

function metricsOfKind(scenario: ScenarioName, kind: TrafficKind, measured: Measured): readonly Metric[] {
  const targets = targetsOf(scenario)[kind]
  if (targets === undefined) return []
  const { totals, peakSeconds, targetPerSecond } = measured
  const peak = trafficOf(kind, totals, 'peak')
  const { label, unit } = TRAFFIC[kind].rate
  const perSecond = peakSeconds > 0 ? peak.ok / peakSeconds : undefined
  const rate = metric('rate', label, unit, '>=', rateOf(scenario, kind, targetPerSecond), perSecond)
  const { p50Ms: p50, p95Ms: p95, p99Ms: p99 } = targets
  const times = latencies(peak, { p50, p95, p99 })
  if ('successPercent' in targets) {
    const success = share(peak.ok, peak.sent)
    return [rate, metric('success', 'Success rate', '%', '>', targets.successPercent, success), ...times]
  }
  const delivery = share(countOf(totals, 'messages_delivered'), countOf(totals, 'messages_due'))
  return [metric('delivery', 'Message delivery rate', '%', '>', targets.deliveryPercent, delivery), rate, ...times]
}

/** In percent; undefined when there is nothing to divide by. */
const share = (part: number, whole: number): number | undefined => (whole > 0 ? (100 * part) / whole : undefined)

const PERCENTS = { p50: 50, p95: 95, p99: 99 } as const

function latencies(
  peak: Traffic,
  targets: Readonly<Record<keyof typeof PERCENTS, number | undefined>>,
): readonly Metric[] {
  return (['p50', 'p95', 'p99'] as const).flatMap((name) => {
    const target = targets[name]
    if (target === undefined) return []
    return [metric(name, `${name} latency`, 'ms', '<', target, percentileMs(peak.latency, PERCENTS[name]))]
  })
}

function metric(
  name: MetricName,
  label: string,
  unit: Metric['unit'],
  comparison: Metric['comparison'],
  target: number,
  measured: number | undefined,
): Metric {
  const figure = { name, label, unit, target, comparison, ...(measured === undefined ? {} : { measured }) }
  return { ...figure, status: meets(figure) ? 'met' : 'missed' }
}
