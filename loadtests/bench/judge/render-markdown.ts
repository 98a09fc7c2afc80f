/** The verdicts as Markdown, for the summary of a CI job. */

import { number } from '@hopwhistle/platform/document/figures.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { COMPARISON, measuredWithUnit } from '../evidence/metric-text.ts'
import type { Outcome } from '../evidence/verdict.ts'
import { nextStep, verdictOf } from './render-table.ts'

const SIGNS: Readonly<Record<Outcome, string>> = { met: '✅', missed: '❌', invalid: '⚠️ invalid' }

/** @param results each with its verdict; one without is judged */
export function renderMarkdown(results: readonly LoadtestResult[]): string {
  const verdicts = results.map(verdictOf)
  const rows = verdicts.flatMap(({ scenario, metrics }) =>
    metrics.map(
      (metric, i) =>
        `| ${i === 0 ? scenario : ''} | ${metric.label} | ${COMPARISON[metric.comparison]} ${number(metric.target)} ` +
        `${metric.unit} | ${measuredWithUnit(metric)} | ${SIGNS[metric.status]} |`,
    ),
  )
  const reasons = verdicts.flatMap(({ scenario, reasons }) =>
    reasons.map(({ effect, text }) => `- **${scenario}**, ${effect}: ${text}`),
  )
  return [
    `### Performance: profile ${[...new Set(verdicts.map(({ profile }) => profile))].join(', ') || 'none'}`,
    '',
    '| Scenario | Metric | Target | Baseline | Status |',
    '| --- | --- | ---: | ---: | --- |',
    ...rows,
    ...(reasons.length === 0 ? [] : ['', ...reasons]),
    '',
    nextStep(verdicts),
    '',
  ].join('\n')
}
