import { histogramCount } from '../../../scenarios/lib/histogram.ts'
import { invalid, type Rule } from '../evidence.ts'
import { number } from '../format.ts'
import { countOf, latencyOf, trafficOf } from '../totals.ts'

const PHASES = ['ramp', 'peak', 'cool'] as const

/** There are as many latencies in the buckets as things were timed: else percentiles are of something else. */
export const bucketsAddUp: Rule = {
  name: 'buckets-add-up',
  check({ scenario, totals }) {
    if (scenario === 'redis-pubsub') return deliveries(totals)
    return PHASES.flatMap((phase) => {
      const { ok, failed, latency } = trafficOf(scenario, totals, phase)
      return compare(`requests of the ${phase}`, ok + failed, histogramCount(latency))
    })
  },
}

/** Of the messages received, checkers time each exactly, and the others bound each by the oldest of its frame. */
function deliveries(totals: Parameters<typeof latencyOf>[1]) {
  // What came twice, or is not of this run, is timed by some subscribers and not by others.
  const unsure = countOf(totals, 'messages_duplicated') + countOf(totals, 'messages_foreign')
  const timed = PHASES.flatMap((phase) => [
    latencyOf('delivery_latency', totals, phase),
    latencyOf('delivery_bound', totals, phase),
  ]).reduce((sum, histogram) => sum + histogramCount(histogram), 0)
  const delivered = countOf(totals, 'messages_delivered')
  return timed >= delivered && timed <= delivered + unsure ? [] : compare('messages delivered', delivered, timed)
}

const compare = (what: string, counted: number, timed: number) =>
  counted === timed ? [] : [invalid(`${number(counted)} ${what} were counted, and ${number(timed)} latencies recorded`)]
