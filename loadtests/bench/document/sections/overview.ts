import { number } from '@hopwhistle/platform/document/figures.ts'
import { blocks, minute } from '@hopwhistle/platform/document/markdown.ts'
import { provesTargets } from '../../../scenarios/lib/profiles.ts'
import type { DocumentModel } from '../model.ts'
import { newerInvalidSummary } from './newer-invalid.ts'

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
    `This page shows how fast Hopwhistle is, how it was measured, and how close it came to each of its limits. k6 measured ` +
      `every figure in the environment \`${environment}\`. A run counts only when its evidence is valid: one that lost a ` +
      'runner, dropped iterations or does not add up is invalid, and does not replace a valid one. Where a target was ' +
      'missed, its row shows the largest rate that the platform carried, and what limited it.',
    summary(measured),
    newerInvalidSummary(measured),
  )
}

function summary(measured: DocumentModel['measured']): string {
  const metrics = measured.flatMap(({ verdict, profile }) =>
    verdict.metrics.map(({ status }) => (provesTargets(profile) ? status : 'smoke')),
  )
  const count = (what: (typeof metrics)[number]) => metrics.filter((status) => status === what).length
  const parts = [
    `${number(count('met'))} of ${number(metrics.length)} targets are met ✅`,
    ...(count('missed') > 0 ? [`${number(count('missed'))} missed ❌`] : []),
    ...(count('invalid') > 0 ? [`${number(count('invalid'))} not proved, because their run is invalid ⚠️`] : []),
    ...(count('smoke') > 0 ? [`${number(count('smoke'))} not proved, because a smoke run proves nothing ⚠️`] : []),
  ]
  return `**${parts.join(', ')}.**`
}
