import { number, plural } from '@hopwhistle/platform/document/figures.ts'
import { invalid, type Rule } from '../../evidence/evidence.ts'
import { countOf } from '../../evidence/totals.ts'

/** Nothing that was due to be sent was left out. */
export const droppedIterations: Rule = {
  name: 'dropped-iterations',
  check({ totals, result: { runners } }) {
    const reasons = []
    const dropped = countOf(totals, 'k6_dropped_iterations')
    if (dropped > 0) {
      const most = runners.reduce((sum, { settings }) => Math.max(sum, Number(settings.maxVUs ?? 0)), 0)
      const used = countOf(totals, 'k6_vus_max')
      const why =
        most > 0 && used >= most
          ? `: all ${number(most)} virtual users were waiting for answers`
          : `, with ${number(used)} of ${number(most)} virtual users in use`
      reasons.push(invalid(`generator: k6 dropped ${plural(dropped, 'iteration')}${most > 0 ? why : ''}`))
    }
    const unsent = ['ramp', 'peak', 'cool'].reduce((sum, phase) => sum + countOf(totals, `publish_dropped_${phase}`), 0)
    if (unsent > 0) {
      reasons.push(
        invalid(`generator: ${plural(unsent, 'message')} not sent, for too many posts of a publisher were unanswered`),
      )
    }
    return reasons
  },
}
