import { targetsOf } from '@hopwhistle/contract/scenarios.ts'
import { list, ms, number, percent } from '@hopwhistle/platform/document/figures.ts'
import type { FindingRule } from '../finding.ts'

const SOURCES: Readonly<Record<string, string>> = {
  replica: 'were read from the replica',
  primary: 'were read from the primary',
  cache: 'came from the cache',
}
const CACHE: Readonly<Record<string, string>> = {
  hit: 'were hits',
  miss: 'were misses',
  stale: 'were older than asked for',
  joined: 'joined a query in flight',
}

/** Where reports were read, how often the cache had them, and how old they were. */
export const reportSources: FindingRule = {
  name: 'report-sources',
  say({ facts: { api, scenario } }) {
    if (api?.reports === undefined || targetsOf(scenario).reports === undefined) return []
    const texts: string[] = []
    const { bySource, byCache } = api.reports
    if (total(bySource) > 0) {
      const lag = api.replicaLagSeconds
      const age = lag === undefined ? '' : `; the data of the replica was ${ms(1000 * lag.mean)} old on average`
      texts.push(`Of ${number(total(bySource))} reports, ${shares(bySource, SOURCES)}${age}.`)
    }
    if (total(byCache) > 0) {
      texts.push(`Of ${number(total(byCache))} look-ups in the report cache, ${shares(byCache, CACHE)}.`)
    }
    return texts
  },
}

const total = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((a, b) => a + b, 0)

const shares = (counts: Readonly<Record<string, number>>, words: Readonly<Record<string, string>>): string =>
  list(
    Object.entries(counts)
      .sort(([, a], [, b]) => b - a)
      .map(([name, count]) => `${percent(count / total(counts))} ${words[name] ?? `were "${name}"`}`),
  )
