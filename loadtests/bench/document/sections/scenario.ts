import { rateOf, SCENARIOS, type ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import { number } from '@hopwhistle/platform/document/figures.ts'
import { blocks, bullets, table } from '@hopwhistle/platform/document/markdown.ts'
import { COMPARISON, measuredWithUnit } from '../../evidence/metric-text.ts'
import { isFullLoadValid, type Metric, type Outcome, type Verdict } from '../../evidence/verdict.ts'
import { chartFile } from '../chart-of.ts'
import { type DocumentModel, type Measured, measuredOf } from '../model.ts'
import { carriedNote } from './carried.ts'
import { configurationOf, targetOf } from './configuration.ts'
import { newerInvalidNote } from './newer-invalid.ts'
import { sentence } from './words.ts'

export function scenarioSection(model: DocumentModel, scenario: ScenarioName, place: number): string {
  const measured = measuredOf(model, scenario)
  return blocks(
    `### ${place}. ${SCENARIOS[scenario].title}`,
    `**Target:** ${targetOf(scenario)}`,
    `**Test:** [\`loadtests/scenarios/${scenario}.ts\`](../loadtests/scenarios/${scenario}.ts)`,
    ...(measured === undefined ? missing(scenario) : results(measured)),
  )
}

function missing(scenario: ScenarioName): string[] {
  return [
    `Not measured in this environment: no run of this scenario is kept. \`npm run baseline -- --help\` says how to run ` +
      `one scenario; its target is ${number(rateOf(scenario))} a second and those of the contract.`,
  ]
}

const STATUS: Readonly<Record<Outcome, string>> = { met: '✅', missed: '❌', invalid: '⚠️ invalid' }

function results(measured: Measured): string[] {
  const { verdict, conclusions, chart, scenario, newerInvalid } = measured
  const reasons = verdict.reasons.filter(({ effect }) => effect !== 'missed')
  return [
    '#### Baseline results',
    table(
      ['Metric', 'Target', 'Baseline', 'Status'],
      verdict.metrics.map((metric) => row(metric, verdict)),
      [1, 2],
    ),
    ...(verdict.carried === undefined ? [] : [carriedNote(verdict.carried, verdict)]),
    ...(reasons.length === 0 ? [] : [bullets(reasons.map(({ effect, text }) => `${mark(effect)}${sentence(text)}`))]),
    ...(newerInvalid === undefined ? [] : [newerInvalidNote(newerInvalid)]),
    ...(chart.points.length === 0
      ? ['No chart: this run has no samples over time.']
      : [`![${SCENARIOS[scenario].title}: rate and latency over time](charts/${chartFile(scenario)})`]),
    '#### Test configuration',
    bullets(configurationOf(measured)),
    '#### Key findings',
    ...(isFullLoadValid(verdict) ? [] : ['Of the full load, whose figures are not valid and prove nothing:']),
    list(conclusions.findings, 'None: the servers were not sampled during this run.'),
    '#### Bottlenecks identified',
    list(conclusions.bottlenecks, 'None.'),
    '#### Optimization recommendations',
    list(conclusions.recommendations, 'None: no rule found anything in the evidence that should change.'),
  ]
}

const row = (metric: Metric, { carried }: Verdict): string[] => [
  metric.label,
  `${COMPARISON[metric.comparison]} ${number(metric.target)} ${metric.unit}`,
  metric.measured === undefined ? 'not measured: no samples' : measuredWithUnit(metric),
  metric.carried && carried !== undefined
    ? `${STATUS[metric.status]} missed: ${carried.limitedBy}`
    : STATUS[metric.status],
]

const mark = (effect: string): string => (effect === 'invalid' ? '⚠️ **Invalid:** ' : 'Remark: ')

const list = (items: readonly { readonly text: string }[], none: string): string =>
  items.length === 0 ? none : bullets(items.map(({ text }) => text))
