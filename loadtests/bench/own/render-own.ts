/** The verdict on a script as a person at a terminal reads it. */
import { columns } from '@hopwhistle/platform/command-line/columns.ts'
import { plural } from '@hopwhistle/platform/document/figures.ts'
import { wrap } from '../judge/render-table.ts'
import { measuredText, metricText, targetText } from './figure-text.ts'
import type { OwnResult, OwnVerdict } from './own-result.ts'

const SIGNS = { met: '✓', missed: '✗', unknown: '?' } as const

export function renderOwn({ name, runners }: OwnResult, verdict: OwnVerdict): string {
  const { figures, reasons, outcome } = verdict
  const rows = figures.map((figure) => [
    `  ${metricText(figure)}`,
    measuredText(figure),
    `${SIGNS[figure.status]} ${targetText(figure)}`,
    figure.from === 'script' ? 'threshold of the script' : '',
  ])
  const notes = [['limited by', verdict.limitedBy], ...reasons.map(({ effect, text }) => [effect, text])]
  return [
    `\n  ${name}: ${outcome}${runners.length > 1 ? `, ${runners.length} runners` : ''}`,
    ...(rows.length === 0 ? [] : [columns(rows)]),
    ...notes.map(([label = '', text = '']) => wrapped(label, text)),
    '',
    `  ${nextStep(verdict)}`,
    '',
  ].join('\n')
}

function nextStep({ outcome, figures, reasons }: OwnVerdict): string {
  const missed = figures.filter(({ status }) => status === 'missed').length
  if (outcome === 'invalid') {
    const first = reasons.find(({ effect }) => effect === 'invalid')
    return `Invalid, so nothing is proved. Next: ${first?.rule === 'no-targets' ? 'write a targets file' : 'fix the reasons above and run again'}`
  }
  if (outcome === 'missed')
    return `${missed} of ${plural(figures.length, 'target')} missed. Next: see what limited it, in the report`
  return `${figures.length === 1 ? 'The target is' : `All ${figures.length} targets are`} met.`
}

const LABEL = 12
const WIDTH = 108

const wrapped = (label: string, text: string): string =>
  wrap(text, WIDTH)
    .map((line, i) => `  ${(i === 0 ? label : '').padEnd(LABEL)}${line}`)
    .join('\n')
