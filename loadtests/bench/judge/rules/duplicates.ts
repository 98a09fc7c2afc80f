import { number } from '@hopwhistle/platform/document/figures.ts'
import { broken, type Rule } from '../../evidence/evidence.ts'
import { countOf } from '../../evidence/totals.ts'

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
