import { list, ms, number } from '@hopwhistle/platform/document/figures.ts'
import type { FindingRule } from '../finding.ts'

const NAMES: Readonly<Record<string, string>> = {
  hourly: 'hourly metrics',
  calls: 'calls',
  daily: 'daily metrics',
}

/** Which of the reports is the slowest. */
export const endpoints: FindingRule = {
  name: 'endpoints',
  say({ facts: { load } }) {
    const sorted = (load.endpoints ?? []).toSorted((a, b) => b.p95 - a.p95)
    if (sorted.length === 0) return []
    const texts = sorted.map(
      ({ name, p95, p99, count }) => `${NAMES[name] ?? name} ${ms(p95)} (p99 ${ms(p99)}, ${number(count)} requests)`,
    )
    return [`p95 by report, slowest first: ${list(texts)}.`]
  },
}
