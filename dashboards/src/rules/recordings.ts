/** Series that alerts and boards read often, computed once. */
import { LIMITS, type Limit, type LimitName } from '@hopwhistle/contract/limits.ts'
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { RELEASE } from '../alerts/alert.ts'
import { WINDOWS } from '../alerts/burn-rates.ts'
import { anyOf, select } from '../promql.ts'
import { RECORDED } from '../recorded-series.ts'
import { type Duration, type Scale, scaled, written } from '../scale.ts'
import { SLIS } from '../slis.ts'

export type Recording = {
  readonly record: string
  readonly expr: string
  readonly labels?: Readonly<Record<string, string>>
}
export type RecordingGroup = {
  readonly name: string
  readonly interval: Duration
  readonly recordings: readonly Recording[]
}

export const recordingGroups = (scale: Scale): readonly RecordingGroup[] => [
  { name: 'limits', interval: scale.every ?? '15s', recordings: [LIMIT_USED] },
  { name: 'burn-rates', interval: scale.every ?? '30s', recordings: WINDOWS.flatMap(burnRates(scale)) },
  {
    name: 'error-budgets',
    interval: scale.every ?? '5m',
    recordings: SLIS.map(({ name, budget, bad }) => ({
      record: RECORDED.budgetLeft,
      expr: `1 - ${bad(written(scale.periodSeconds), RELEASE)} / ${budget}`,
      labels: { slo: name },
    })),
  },
]

const burnRates =
  (scale: Scale) =>
  (window: Duration): readonly Recording[] =>
    SLIS.map(({ name, budget, bad }) => ({
      record: RECORDED.burn,
      expr: `${bad(scaled(window, scale), RELEASE)} / ${budget}`,
      labels: { slo: name, window },
    }))

/** A server has one limit for all; every instance reports it, and the highest report counts. */
function limitUsed(scopes: readonly Limit['scope'][], by: readonly string[]): string {
  const names = (Object.keys(LIMITS) as LimitName[]).filter((name) => scopes.includes(LIMITS[name].scope))
  const of = (metric: string) => `max by (${by.join(', ')}) (${select(metric, { resource: anyOf(names) })})`
  return `${of(METRICS.usage)} / ${of(METRICS.limit)}`
}

const LIMIT_USED: Recording = {
  record: RECORDED.limitUsed,
  expr: [
    limitUsed(['server', 'tenant'], [...RELEASE, 'resource']),
    limitUsed(['instance'], [...RELEASE, 'resource', 'instance']),
  ].join('\nor\n'),
}
