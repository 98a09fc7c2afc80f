import { number } from '@hopwhistle/platform/document/figures.ts'
import { invalid, type Rule } from '../../evidence/evidence.ts'
import { countOf, totalsOf } from '../../evidence/totals.ts'

const COUNTERS = {
  'call-state-updates': ['updates_sent_ramp', 'updates_sent_peak'],
  'reporting-endpoints': ['reports_sent_ramp', 'reports_sent_peak'],
  'redis-pubsub': ['messages_published_ramp', 'messages_published_peak'],
} as const

/** The windows watched during the run hold no more than was counted in the end; what came after the last is not seen. */
export const seriesAddUp: Rule = {
  name: 'series-add-up',
  check({ result: { series = [] }, totals, scenario }) {
    const watched = totalsOf(series)
    return COUNTERS[scenario].flatMap((name) => {
      const [seen, counted] = [countOf(watched, name), countOf(totals, name)]
      if (seen <= counted) return []
      return [
        invalid(`the windows of the run add up to ${number(seen)} ${name}, and its end counted ${number(counted)}`),
      ]
    })
  },
}
