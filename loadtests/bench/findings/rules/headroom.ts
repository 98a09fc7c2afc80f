import { list, ms, number } from '@hopwhistle/platform/document/figures.ts'
import { COMPARISON, measuredWithUnit } from '../../evidence/metric-text.ts'
import type { Metric } from '../../evidence/verdict.ts'
import type { FindingRule } from '../finding.ts'

/** With fewer than this, p99.9 is the slowest or two. */
const LEAST_FOR_P999 = 2000

/** How far each latency is from its target, and what the slowest of all took. */
export const headroom: FindingRule = {
  name: 'headroom',
  say({ verdict, facts, words }) {
    const latencies = verdict.metrics.filter(({ unit, measured }) => unit === 'ms' && measured !== undefined)
    const { latency, sent, ok } = facts.load
    if (latencies.length === 0 || latency === undefined) return []
    const texts = latencies.map((metric) => `${metric.name} ${measuredWithUnit(metric)} (${distance(metric)})`)
    const failed = sent - ok
    const all =
      failed === 0
        ? `all ${number(sent)} ${words.many} of the peak succeeded`
        : `${number(failed)} of the ${number(sent)} ${words.many} of the peak failed`
    const subject = facts.load.delivery === undefined ? '' : 'Deliveries: '
    const tail = sent < LEAST_FOR_P999 ? 'The' : `99.9 % took less than ${ms(latency.p999)}, the`
    return [`${subject}${list(texts)}. ${tail} slowest took ${ms(latency.max)}; ${all}.`]
  },
}

/** `27 times below its target`, `12 % above its target`. */
function distance({ measured = 0, target, comparison }: Metric): string {
  const limit = `${COMPARISON[comparison]}${number(target)} ms`
  if (measured >= target) return `${number((100 * (measured - target)) / target)} % above its target of ${limit}`
  const times = target / measured
  if (times >= 2) return `${number(times, times < 10 ? 1 : 0)} times below its target of ${limit}`
  return `${number((100 * (target - measured)) / target)} % below its target of ${limit}`
}
