import { number, plural } from '@hopwhistle/platform/document/figures.ts'
import { broken, invalid, type Rule, remark } from '../../evidence/evidence.ts'
import { countOf } from '../../evidence/totals.ts'

/** Every message due at every subscriber is accounted for, as delivered or as lost. */
export const deliveriesAddUp: Rule = {
  name: 'deliveries-add-up',
  check({ scenario, totals, result }) {
    if (scenario !== 'redis-pubsub' || result.runners.length === 0) return []
    const reasons = []
    const [due, delivered, lost, mismatched, malformed] = [
      'messages_due',
      'messages_delivered',
      'messages_lost',
      'messages_mismatched',
      'frames_malformed',
    ].map((name) => countOf(totals, name)) as [number, number, number, number, number]
    const subscribers = Number(result.runners[0]?.settings.subscribers ?? 0)
    const failed = ['ramp', 'peak', 'cool'].reduce((sum, phase) => sum + countOf(totals, `publish_failed_${phase}`), 0)
    // A publish without an answer may have been stored and delivered all the same.
    const more = delivered + lost - due
    if (Math.abs(more) > failed * subscribers) {
      const text = `${number(due)} deliveries were due, and ${number(delivered)} made and ${number(lost)} lost are ${number(delivered + lost)}`
      // Fewer are those that a k6 without CPU had not yet looked at when it ended.
      reasons.push(more > 0 ? broken(text) : invalid(text))
    }
    if (mismatched > 0) {
      reasons.push(broken(`subscribers count ${plural(mismatched, 'message')} otherwise by event id than by offset`))
    }
    if (failed > 0) {
      reasons.push(remark(`${plural(failed, 'message')} may have been published or not: what was due is not exact`))
    }
    if (malformed > 0) reasons.push(broken(`${plural(malformed, 'frame')} did not hold what its head promised`))
    return reasons
  },
}
