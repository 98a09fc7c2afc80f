/** docs/performance.md, from the record alone: the same record, the same bytes. */
import { blocks, bullets, code, minute, table } from '../../document/markdown.ts'
import { bytes, number } from '../../judge/format.ts'
import { duration } from '../../lib/terminal.ts'
import { median } from '../measure/arithmetic.ts'
import { type Figure, meetsGoal } from '../measure/figure.ts'
import { PARTS, type PartName } from '../parts.ts'
import type { PartRecord, PeersRecord } from '../record.ts'
import { goalText, rangeText, valueText } from '../render-figures.ts'

const TITLES: Readonly<Record<PartName, string>> = {
  ingest: 'Ingest',
  reports: 'Reports',
  live: 'Live delivery',
  scale: 'Scale',
  cost: 'Start and cost',
}

export const CHART = 'charts/peers.svg'

export function renderPerformance(record: PeersRecord): string {
  const measured = PARTS.flatMap((part) => {
    const found = record.parts[part]
    return found === undefined ? [] : [[part, found] as const]
  })
  const text = blocks(
    '# Beside what one would write or take instead',
    '<!-- Written by `npm run bench -- peers` from loadtests/baselines/peers. Do not edit. -->',
    intro(record),
    `![The platform and its peers as bars: median, and the range of the rounds as a line](${CHART})`,
    '## Goals',
    goals(measured.flatMap(([, { figures }]) => figures)),
    ...measured.map(([part, found]) => section(part, found)),
    '## Measuring again',
    again(),
  )
  return `${text}\n`
}

function intro({ machine }: PeersRecord): string {
  const { cpuModel, cores, memoryBytes, os, architecture } = machine
  return (
    `Everything here ran on one machine: ${number(cores)} cores of ${cpuModel}, ${bytes(memoryBytes)}, ${os} on ${architecture}, ` +
    'with the servers, what they are compared with and the generator of the load side by side. Contenders are measured in ' +
    'turns, A B C and then C B A, after a warm-up each. A figure is the median of the rounds, with their range. A ratio ' +
    'is made of values of the same round: it travels between machines, absolute figures do not.'
  )
}

function goals(figures: readonly Figure[]): string {
  const rows = figures.flatMap((figure) => {
    const { label, unit, rounds, goal } = figure
    if (goal === undefined) return []
    const met = meetsGoal(median(rounds), goal)
    return [
      [
        label,
        `${valueText(median(rounds))} ${unit}`,
        rangeText(rounds),
        `${goal.comparison} ${goal.value}`,
        met ? '✅' : '❌',
      ],
    ]
  })
  return table(['Figure', 'Median', 'Range', 'Goal', 'Met'], rows, [1, 2, 3])
}

function section(
  part: PartName,
  { measuredAt, durationSeconds, source, figures, notes, tables = [] }: PartRecord,
): string {
  const rows = figures.map((figure) => [
    figure.label,
    `${valueText(median(figure.rounds))} ${figure.unit}`,
    rangeText(figure.rounds),
    goalText(figure),
  ])
  const rounds = Math.max(...figures.map((figure) => figure.rounds.length))
  const commit =
    source.commit === undefined
      ? ''
      : ` at commit \`${source.commit.slice(0, 7)}\`${source.dirty ? ' with changes' : ''}`
  return blocks(
    `## ${TITLES[part]}`,
    `${minute(measuredAt)},${commit}: ${rounds} ${rounds === 1 ? 'round' : 'rounds'} in ${duration(1000 * durationSeconds)}.`.replace(
      ', at',
      ' at',
    ),
    table(['Figure', 'Median', 'Range', 'Goal'], rows, [1, 2]),
    ...tables.flatMap(({ title, header, rows, right }) => [`${title}:`, table(header, rows, right)]),
    bullets(notes),
    '<details><summary>What each figure means</summary>',
    bullets(figures.map(({ label, meaning }) => `**${label}.** ${meaning}`)),
    '</details>',
  )
}

const again = (): string =>
  blocks(
    'On a machine that does nothing else:',
    code(
      'sh',
      'npm run bench -- peers                   # all of it',
      'npm run bench -- peers --only ingest     # or reports, live, scale, cost',
      'CENTRIFUGO=/path/to/centrifugo npm run bench -- peers --only live',
      'IMAGE_BUILDER=docker npm run bench -- peers --only cost',
      'npm run bench -- peers --quick           # small: whether everything works, and nothing about the goals',
    ),
    'Raw numbers are in `loadtests/results/peers-*.json`, the figures of this page in `loadtests/baselines/peers`. What is ' +
      'measured again takes the place of what was; the other parts stay as they are.',
  )
