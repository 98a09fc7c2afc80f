/** Whether every live message arrived once, in order, at everyone. */
import { number, plural } from '@hopwhistle/platform/document/figures.ts'
import { countOf } from '../../../scenarios/lib/totals.ts'
import { broken, invalid, type Rule, remark } from '../../evidence/evidence.ts'
import { PHASES } from '../../evidence/traffic.ts'

/** All subscribers were there, and stayed. */
export const subscribersLost: Rule = {
  name: 'subscribers-lost',
  check({ kinds, totals, result }) {
    const [runner] = result.runners
    if (!kinds.includes('messages') || runner === undefined) return []
    const { subscribers: planned = 0 } = runner.settings
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

/** Every message due at every subscriber is accounted for, as delivered or as lost. */
export const deliveriesAddUp: Rule = {
  name: 'deliveries-add-up',
  check({ kinds, totals, result }) {
    if (!kinds.includes('messages') || result.runners.length === 0) return []
    const reasons = []
    const [due, delivered, lost, mismatched, malformed] = [
      'messages_due',
      'messages_delivered',
      'messages_lost',
      'messages_mismatched',
      'frames_malformed',
    ].map((name) => countOf(totals, name)) as [number, number, number, number, number]
    const subscribers = result.runners[0]?.settings.subscribers ?? 0
    const failed = PHASES.reduce((sum, phase) => sum + countOf(totals, `publish_failed_${phase}`), 0)
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

/** No subscriber got a message twice: an offset is delivered once. */
export const duplicates: Rule = {
  name: 'duplicates',
  check({ totals }) {
    const twice = countOf(totals, 'messages_duplicated')
    if (twice === 0) return []
    const delivered = countOf(totals, 'messages_delivered')
    return [broken(`${number(twice)} messages arrived twice; ${number(delivered)} were delivered once`)]
  },
}

/** No subscriber got a message after a later one: offsets arrive in order. */
export const reorderings: Rule = {
  name: 'reorderings',
  check({ totals }) {
    const late = countOf(totals, 'messages_reordered')
    if (late === 0) return []
    const delivered = countOf(totals, 'messages_delivered')
    return [broken(`${number(late)} of ${number(delivered)} messages arrived after one with a higher offset`)]
  },
}
