import { bytes, list, ms, number, percent } from '@hopwhistle/platform/document/figures.ts'
import type { WorstWindow } from '../facts.ts'
import type { FindingRule } from '../finding.ts'

/** When it was slowest, and what was different then. */
export const worstWindow: FindingRule = {
  name: 'worst-window',
  say({ facts: { worst } }) {
    if (worst === undefined) return []
    const { atSeconds, windowSeconds, p99, typicalP99, unusual } = worst
    const when = `${number(atSeconds)} s after the start`
    const begin =
      `The slowest ${number(windowSeconds)} s of the peak began ${when}, with a p99 of ${ms(p99)}; ` +
      `the median of all windows is ${ms(typicalP99)}`
    if (unusual.length === 0) return [`${begin}. No sampled value was unusual then.`]
    return [`${begin}. Unusual then: ${list(unusual.map(text))}.`]
  },
}

function text({ what, value, usual, unit }: WorstWindow['unusual'][number]): string {
  const show = (n: number) => {
    if (unit === 'bytes') return bytes(n)
    if (unit === 'bytes/s') return `${bytes(n)}/s`
    if (unit === 'ratio') return percent(n)
    return unit === 'cores' ? `${number(n, 2)} cores` : number(n, 1)
  }
  return `${what} ${show(value)} (usually ${show(usual)})`
}
