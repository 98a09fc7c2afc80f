import { number, plural } from '@hopwhistle/platform/document/figures.ts'
import type { FindingRule } from '../finding.ts'

/** Whether every message reached every subscriber once and in order, and at what rate. */
export const delivery: FindingRule = {
  name: 'delivery',
  say({ facts: { load } }) {
    const d = load.delivery
    if (d === undefined || d.due === 0 || load.peakSeconds === 0) return []
    const perSecond = (load.ok / load.peakSeconds) * d.subscribers
    const account =
      d.lost + d.duplicated + d.reordered === 0 && d.delivered === d.due
        ? 'each arrived once and in order'
        : `${number(d.delivered)} arrived, ${number(d.lost)} were lost, ${number(d.duplicated)} came twice and ` +
          `${number(d.reordered)} out of order`
    const texts = [
      `${number(d.due)} deliveries were due at ${plural(d.subscribers, 'subscriber')} over the whole run, ` +
        `${number(perSecond)} a second at the peak: ${account}.`,
    ]
    if (d.frames > 0) {
      texts.push(
        `A frame carried ${number(d.delivered / d.frames, 1)} messages on average (${number(d.frames)} frames).`,
      )
    }
    return texts
  },
}
