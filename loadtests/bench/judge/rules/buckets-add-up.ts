import { number } from '@hopwhistle/platform/document/figures.ts'
import { histogramCount } from '../../../scenarios/lib/histogram.ts'
import { invalid, type Rule } from '../../evidence/evidence.ts'
import { countOf, latencyOf, type Totals, trafficOf } from '../../evidence/totals.ts'

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

/** Every delivery is timed. */
function deliveries(totals: Totals) {
  const timed = PHASES.reduce((sum, phase) => sum + histogramCount(latencyOf('delivery_latency', totals, phase)), 0)
  const delivered = countOf(totals, 'messages_delivered')
  // What comes twice may be timed twice, when a frame brings it together with something new.
  const twice = countOf(totals, 'messages_duplicated')
  return timed >= delivered && timed <= delivered + twice ? [] : compare('messages delivered', delivered, timed)
}

const compare = (what: string, counted: number, timed: number) =>
  counted === timed ? [] : [invalid(`${number(counted)} ${what} were counted, and ${number(timed)} latencies recorded`)]
