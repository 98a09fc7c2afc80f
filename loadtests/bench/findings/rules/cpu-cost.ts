import { list, number } from '@hopwhistle/platform/document/figures.ts'
import { cpuShares } from '../cpu.ts'
import { type FindingRule, ratePerSecond } from '../finding.ts'

/** What a thousand requests or messages cost, by program. */
export const cpuCost: FindingRule = {
  name: 'cpu-cost',
  say(context) {
    const { facts, words } = context
    const rate = ratePerSecond(context)
    const shares = cpuShares(facts).filter(({ kind }) => kind !== 'sampler' && kind !== 'other')
    if (rate === 0 || shares.length === 0) return []
    const cost = (cores: number) => (1000 * cores) / rate
    const texts = shares
      .filter(({ cores }) => cost(cores) >= 0.005)
      .map(({ name, cores }) => `${name} ${number(cost(cores), 2)} s`)
    return [`CPU for a thousand ${words.many}: ${list(texts)}.`]
  },
}
