import { number } from '../../judge/format.ts'
import { blocks, minute } from '../markdown.ts'
import type { DocumentModel } from '../model.ts'

export function overviewSection({ measured, environment }: DocumentModel): string {
  const last = measured
    .map(({ endedAt }) => endedAt)
    .sort()
    .at(-1)
  return blocks(
    '# Performance baselines',
    '<!-- Written by `make document` from loadtests/baselines/*.json. Changes made here are lost. -->',
    `**Last updated:** ${last === undefined ? 'never' : minute(last)}`,
    '## Overview',
    `How fast Hopwhistle is, what it was measured with, and how near it came to each of its limits. Every figure below ` +
      `was measured by k6 in the environment \`${environment}\`, and judged only after its evidence had been checked: ` +
      `a run that lost a runner, dropped iterations or does not add up is shown as invalid and proves nothing.`,
    summary(measured),
  )
}

function summary(measured: DocumentModel['measured']): string {
  const metrics = measured.flatMap(({ verdict }) => verdict.metrics)
  const met = metrics.filter(({ status }) => status === 'met').length
  const missed = metrics.filter(({ status }) => status === 'missed').length
  const invalid = metrics.filter(({ status }) => status === 'invalid').length
  const parts = [
    `${number(met)} of ${number(metrics.length)} targets are met ✅`,
    ...(missed > 0 ? [`${number(missed)} missed ❌`] : []),
    ...(invalid > 0 ? [`${number(invalid)} not proved, for their run is invalid ⚠️`] : []),
  ]
  return `**${parts.join(', ')}.**`
}
