/** The figures that the contract sets targets for, measured over the peak of all runners together. */
import { type ScenarioName, SLOS } from '@hopwhistle/contract/slos.ts'
import { percentileMs } from '../../scenarios/lib/histogram.ts'
import { countOf, type Totals, type Traffic } from './totals.ts'
import { type Metric, type MetricName, meets } from './verdict.ts'

export type Measured = {
  readonly totals: Totals
  readonly peak: Traffic
  readonly peakSeconds: number
  /** The rate to be reached; the contract's, but for a profile that proves nothing about it. */
  readonly targetPerSecond: number
}

/** The table of one scenario, in the order of the document. Statuses are those of a valid run. */
export function metricsOf(scenario: ScenarioName, measured: Measured): readonly Metric[] {
  const { totals, peak, peakSeconds } = measured
  const rate = peakSeconds > 0 ? peak.ok / peakSeconds : undefined
  const success = share(peak.ok, peak.sent)
  switch (scenario) {
    case 'call-state-updates': {
      const slo = SLOS[scenario]
      return [
        metric('rate', 'Throughput', 'updates/s', '>=', measured.targetPerSecond, rate),
        metric('success', 'Success rate', '%', '>', slo.successPercent, success),
        ...latencies(peak, { p95: slo.p95Ms, p99: slo.p99Ms }),
      ]
    }
    case 'reporting-endpoints': {
      const slo = SLOS[scenario]
      return [
        metric('rate', 'Request rate', 'requests/s', '>=', measured.targetPerSecond, rate),
        metric('success', 'Success rate', '%', '>', slo.successPercent, success),
        ...latencies(peak, { p50: slo.p50Ms, p95: slo.p95Ms, p99: slo.p99Ms }),
      ]
    }
    case 'redis-pubsub': {
      const slo = SLOS[scenario]
      const delivery = share(countOf(totals, 'messages_delivered'), countOf(totals, 'messages_due'))
      return [
        metric('delivery', 'Message delivery rate', '%', '>', slo.deliveryPercent, delivery),
        metric('rate', 'Message throughput', 'messages/s', '>=', measured.targetPerSecond, rate),
        ...latencies(peak, { p50: slo.p50Ms, p95: slo.p95Ms, p99: slo.p99Ms }),
      ]
    }
  }
}

/** In percent; undefined when there is nothing to divide by. */
const share = (part: number, whole: number): number | undefined => (whole > 0 ? (100 * part) / whole : undefined)

const PERCENTS = { p50: 50, p95: 95, p99: 99 } as const

function latencies(peak: Traffic, targets: Partial<Record<keyof typeof PERCENTS, number>>): readonly Metric[] {
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
