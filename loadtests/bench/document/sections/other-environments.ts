import { BASELINE_SCENARIOS, SCENARIOS } from '@hopwhistle/contract/scenarios.ts'
import { blocks, day, table } from '@hopwhistle/platform/document/markdown.ts'
import { measuredWithUnit } from '../../evidence/metric-text.ts'
import type { DocumentModel } from '../model.ts'

const STATUS = { met: '✅', missed: '❌', invalid: '⚠️' } as const

/** Baselines kept of other machines. Absent when there are none. */
export function otherEnvironmentsSection({ others }: DocumentModel): string {
  const rows = others.flatMap(({ name, scenarios }) =>
    BASELINE_SCENARIOS.flatMap((scenario) => {
      const kept = scenarios[scenario]
      if (kept === undefined) return []
      const figures = kept.verdict.metrics.map(
        (metric) => `${metric.label} ${measuredWithUnit(metric)} ${STATUS[metric.status]}`,
      )
      const since = kept.newerInvalid === undefined ? '' : `; ⚠️ invalid on ${day(kept.newerInvalid.startedAt)}`
      return [
        [
          `\`${name}\``,
          SCENARIOS[scenario].title,
          kept.profile,
          `${day(kept.startedAt)}${since}`,
          figures.join('<br>'),
        ],
      ]
    }),
  )
  if (rows.length === 0) return ''
  return blocks(
    '### Other environments',
    'Baselines of other machines. Do not compare figures of different machines with each other.',
    table(['Environment', 'Scenario', 'Profile', 'Measured', 'Baseline'], rows),
  )
}
