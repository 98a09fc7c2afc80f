import { list, ms, number, percent } from '../../judge/format.ts'
import type { FindingRule } from '../finding.ts'

const CACHE: Readonly<Record<string, string>> = {
  hit: 'found',
  miss: 'not found',
  joined: 'joined to one under way',
  bypass: 'not asked',
}

/** Where reports were read, how often the cache had them, and how old they were. */
export const reportSources: FindingRule = {
  name: 'report-sources',
  say({ facts: { api, scenario } }) {
    if (api?.reports === undefined || scenario !== 'reporting-endpoints') return []
    const texts: string[] = []
    const { bySource, byCache } = api.reports
    if (total(byCache) > 0) {
      texts.push(
        `Of ${number(total(byCache))} look-ups in the report cache: ${shares(byCache, (name) => CACHE[name] ?? name)}.`,
      )
    }
    if (total(bySource) > 0) {
      const lag = api.replicaLagSeconds
      const age = lag === undefined ? '' : ` What the replica shows was ${ms(1000 * lag.mean)} old on average.`
      texts.push(
        `${number(total(bySource))} reports were read from Postgres: ${shares(bySource, (name) => `the ${name}`)}.${age}`,
      )
    }
    return texts
  },
}

const total = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((a, b) => a + b, 0)

const shares = (counts: Readonly<Record<string, number>>, nameOf: (name: string) => string): string =>
  list(
    Object.entries(counts)
      .sort(([, a], [, b]) => b - a)
      .map(([name, count]) => `${percent(count / total(counts))} ${nameOf(name)}`),
  )
