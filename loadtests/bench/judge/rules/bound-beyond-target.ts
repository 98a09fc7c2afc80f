import { percentileMs } from '../../../scenarios/lib/histogram.ts'
import { invalid, type Rule } from '../evidence.ts'
import { measuredWithUnit, ms } from '../format.ts'
import { latencyOf } from '../totals.ts'

const PERCENTS = { p50: 50, p95: 95, p99: 99 } as const

/**
 * What the checkers measured holds for all subscribers. The others read only frame heads and know an upper bound of
 * each latency: within the target it proves the target for them as well; beyond it, their part is unproved.
 */
export const boundBeyondTarget: Rule = {
  name: 'bound-beyond-target',
  check({ metrics, totals }) {
    const bound = latencyOf('delivery_bound', totals, 'peak')
    return metrics.flatMap((metric) => {
      if (metric.status !== 'met' || !(metric.name in PERCENTS)) return []
      const most = percentileMs(bound, PERCENTS[metric.name as keyof typeof PERCENTS])
      if (most === undefined || most < metric.target) return []
      return [
        invalid(
          `${metric.label} is ${measuredWithUnit(metric)} at the subscribers that time every message, and up to ` +
            `${ms(most)} at those that read frame heads only: theirs is not shown to be below ${metric.target} ms`,
        ),
      ]
    })
  },
}
