import { ms } from '@hopwhistle/platform/document/figures.ts'
import { percentileMs } from '../../../scenarios/lib/histogram.ts'
import { invalid, type Rule } from '../../evidence/evidence.ts'
import { measuredWithUnit } from '../../evidence/metric-text.ts'
import { latencyOf } from '../../evidence/totals.ts'

const PERCENTS = { p50: 50, p95: 95, p99: 99 } as const
/** From this part on, a latency is rather the generator's than the platform's. */
const MOSTLY = 0.5

/** A latency beyond its target was not spent inside k6, waiting for a subscriber's turn. */
export const receiveLag: Rule = {
  name: 'receive-lag',
  check({ metrics, totals }) {
    const lag = latencyOf('receive_lag', totals, 'peak')
    return metrics.flatMap((metric) => {
      if (metric.status !== 'missed' || !(metric.name in PERCENTS)) return []
      const inside = percentileMs(lag, PERCENTS[metric.name as keyof typeof PERCENTS])
      if (inside === undefined || inside < MOSTLY * (metric.measured ?? 0)) return []
      return [
        invalid(`generator: of ${metric.label} ${measuredWithUnit(metric)}, frames waited ${ms(inside)} inside k6`),
      ]
    })
  },
}
