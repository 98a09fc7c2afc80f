/** Rules for every alert that its types cannot express. */
import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { type Alert, alertName } from '../alerts/alert.ts'
import { readRunbook } from '../boards/runbooks.ts'
import { RUNBOOKS, type RunbookName } from '../runbook-names.ts'
import { type Duration, secondsOf } from '../scale.ts'
import { unknownMetrics } from './lint-boards.ts'
import { percentileProblems } from './percentiles.ts'

const SECTIONS = ['## What it means', '## How to see it', '## What to do']

/** @returns one line for each fault: alert or runbook, and what is wrong */
export function alertProblems(alerts: readonly Alert[]): readonly string[] {
  const names = alerts.map(alertName)
  return [
    ...names.filter((name, i) => names.indexOf(name) !== i).map((name) => `${name}: is there twice`),
    ...alerts.flatMap((alert) => problemsOf(alert).map((problem) => `${alertName(alert)}: ${problem}`)),
    ...RUNBOOKS.filter((name) => !alerts.some(({ runbook }) => runbook === name)).map(
      (name) => `runbook ${name}: no alert links to it`,
    ),
  ]
}

function problemsOf({ name, by, when, lasting, summary, meaning }: Alert): readonly string[] {
  const used = [...summary.matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => label)
  const queries = when.flatMap((signals) => signals.map(({ query }) => query))
  return [
    ...(/^([A-Z][a-z]+)+$/.test(name) ? [] : ['has a name that is not PascalCase']),
    ...used.filter((label) => !by.includes(label)).map((label) => `says ${label}, which is not one of its labels`),
    ...(used.length === 0 ? ['does not say where'] : []),
    ...(/\.$/.test(meaning) ? [] : ['does not say in a sentence what it means']),
    ...(queries.length === 0 ? ['looks at nothing'] : []),
    ...queries.flatMap((query) => [
      ...percentileProblems(query),
      ...unknownMetrics(query),
      ...forgetful(query, lasting),
    ]),
  ]
}

/** A single occurrence stays in an increase for the length of its window, so `lasting` must be shorter. */
const forgetful = (query: string, lasting: Duration): readonly string[] =>
  [...query.matchAll(/\bincrease\(.*?\[(\d+[smhd])\]/g)]
    .filter(([, window]) => secondsOf(window as Duration) < 2 * secondsOf(lasting))
    .map(([, window]) => `has forgotten after ${window} what has to last ${lasting}`)

/** A runbook says what the alert means, how to see it and what to do, and has a section for each value that an alert links to. */
export function runbookProblems(read: (name: RunbookName) => string = readRunbook): readonly string[] {
  return RUNBOOKS.flatMap((name) => {
    const text = read(name)
    const missing = SECTIONS.filter((section) => !text.includes(`\n${section}\n`))
    const parts = name === 'limit-near' ? Object.keys(LIMITS).filter((limit) => !text.includes(`\n### ${limit}\n`)) : []
    return [
      ...missing.map((section) => `runbook ${name}: has no "${section}"`),
      ...parts.map((limit) => `runbook ${name}: has nothing about ${limit}`),
      ...(text.includes('```bash') ? [] : [`runbook ${name}: has no command`]),
    ]
  })
}
