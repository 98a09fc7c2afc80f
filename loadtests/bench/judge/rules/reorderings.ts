import { number } from '@hopwhistle/platform/document/figures.ts'
import { broken, type Rule } from '../../evidence/evidence.ts'
import { countOf } from '../../evidence/totals.ts'

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
