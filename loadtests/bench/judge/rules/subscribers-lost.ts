import { number, plural } from '@hopwhistle/platform/document/figures.ts'
import { invalid, type Rule, remark } from '../../evidence/evidence.ts'
import { countOf } from '../../evidence/totals.ts'

/** All subscribers were there, and stayed. */
export const subscribersLost: Rule = {
  name: 'subscribers-lost',
  check({ scenario, totals, result }) {
    const [runner] = result.runners
    if (scenario !== 'redis-pubsub' || runner === undefined) return []
    const planned = Number(runner.settings.subscribers ?? 0)
    const connected = countOf(totals, 'subscribers_connected')
    const failed = countOf(totals, 'subscribers_failed')
    const reasons = []
    if (failed > 0 || connected < planned) {
      const missing = Math.max(failed, planned - connected)
      reasons.push(invalid(`${number(missing)} of ${number(planned)} subscribers never connected`))
    }
    const again = countOf(totals, 'subscribers_reconnected')
    const gaps = countOf(totals, 'subscribers_unrecovered')
    if (gaps > 0) {
      reasons.push(
        invalid(`${plural(again, 'connection')} broke, and ${number(gaps)} could not resume where they were`),
      )
    } else if (again > 0) {
      reasons.push(remark(`${plural(again, 'connection')} broke; each resumed with exactly what it had missed`))
    }
    return reasons
  },
}
