import { number, plural } from '@hopwhistle/platform/document/figures.ts'
import { invalid, type Rule } from '../../evidence/evidence.ts'
import { countOf, trafficOf } from '../../evidence/totals.ts'

const PHASES = ['ramp', 'peak'] as const

/** Every request that was sent has ended, well or not, and k6 itself counts no fewer. */
export const requestsAddUp: Rule = {
  name: 'requests-add-up',
  check({ scenario, totals }) {
    if (scenario === 'redis-pubsub') return []
    const traffic = PHASES.map((phase) => ({ phase, ...trafficOf(scenario, totals, phase) }))
    const reasons = traffic
      .filter(({ sent, ok, failed }) => ok + failed > sent)
      .map(({ phase, sent, ok, failed }) =>
        invalid(
          `${number(ok + failed)} requests of the ${phase} ended (${number(ok)} well, ${number(failed)} not), ` +
            `and ${number(sent)} were sent`,
        ),
      )
    const unanswered = traffic.reduce((sum, { sent, ok, failed }) => sum + Math.max(0, sent - ok - failed), 0)
    if (unanswered > 0) reasons.push(invalid(`${plural(unanswered, 'request')} sent and neither answered nor failed`))
    const sent = traffic.reduce((sum, phase) => sum + phase.sent, 0)
    const own = countOf(totals, 'k6_http_reqs')
    if (own < sent) {
      reasons.push(invalid(`the scenario counted ${plural(sent, 'request')} and k6 itself ${number(own)}`))
    }
    return reasons
  },
}
