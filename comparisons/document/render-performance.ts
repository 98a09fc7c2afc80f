/** Renders docs/performance.md from only the record: the same record gives the same bytes. */

import { duration } from '@hopwhistle/platform/command-line/terminal.ts'
import { bytes, number } from '@hopwhistle/platform/document/figures.ts'
import { blocks, bullets, code, minute, table } from '@hopwhistle/platform/document/markdown.ts'
import { median } from '../arithmetic.ts'
import { type Figure, meetsGoal } from '../measure/figure.ts'
import { PARTS, type PartName } from '../parts.ts'
import type { PartRecord, PeersRecord } from '../record.ts'
import { goalText, rangeText, valueText } from '../render-figures.ts'

const TITLES: Readonly<Record<PartName, string>> = {
  ingest: 'Ingest',
  'event-cost': 'CPU for an event',
  idle: 'Idle',
  reports: 'Reports',
  live: 'Live delivery',
  scale: 'Scale',
  cost: 'Start and cost',
}

const K6_TITLE = "k6's CPU for a frame"

export const CHART = 'charts/peers.svg'

export function renderPerformance(record: PeersRecord): string {
  const measured = PARTS.flatMap((part) => {
    const found = record.parts[part]
    return found === undefined ? [] : [[part, found] as const]
  })
  const text = blocks(
    '# Comparison with alternatives',
    '<!-- Written by `npm run comparisons -- measure` from comparisons/baselines. Do not edit. -->',
    intro(record),
    `![The platform and its peers as bars: median, and the range of the rounds as a line](${CHART})`,
    '## Goals',
    goals([...measured.flatMap(([, { figures }]) => figures), ...k6Figures(record)]),
    notMeasured(record),
    ...measured.map(([part, found]) => section(part, found)),
    k6Section(record),
    '## Measuring again',
    again(),
  )
  return `${text}\n`
}

function intro({ machine }: PeersRecord): string {
  const { cpuModel, cores, memoryBytes, os, architecture } = machine
  return (
    `All measurements ran on one machine: ${number(cores)} cores of ${cpuModel}, ${bytes(memoryBytes)}, ${os} on ${architecture}, ` +
    'shared by the servers, the alternatives and the load generator. Contenders take turns (A B C, then B C A), each after ' +
    'a warm-up. A figure is the median of the rounds, with their range. A ratio is computed from values of the same round: ' +
    'ratios also hold on other machines, absolute figures do not. The base is the platform at an earlier commit, which ' +
    'each section names. It runs its own code and schema, on its own servers.'
  )
}

/** Names the goals that were not measured. */
function notMeasured({ parts, k6Frame }: PeersRecord): string {
  const missing = PARTS.filter((part) => parts[part] === undefined).map(
    (part) => `${TITLES[part]} (\`npm run comparisons -- measure --only ${part}\`)`,
  )
  if (k6Frame === undefined) missing.push(K6_TITLE)
  return missing.length === 0 ? '' : `Not measured yet: ${missing.join(', ')}.`
}

/** The record has only the number of rounds and their range, so the range stands for the rounds. */
const k6Figures = ({ k6Frame }: PeersRecord): readonly Figure[] =>
  k6Frame === undefined
    ? []
    : [
        {
          id: 'k6.frame.ofBase',
          label: `${K6_TITLE}, Hopwhistle ÷ the base`,
          unit: '×',
          rounds: [k6Frame.min, k6Frame.ratio, k6Frame.max],
          meaning:
            'CPU of the k6 process for each live frame that its subscribers receive, divided by that at the base.',
          goal: { comparison: '≤', value: 0.5 },
        },
      ]

function k6Section(record: PeersRecord): string {
  const { k6Frame } = record
  if (k6Frame === undefined) return ''
  const { nsPerFrame, baseNsPerFrame, rounds } = k6Frame
  return blocks(
    `## ${K6_TITLE}`,
    `${rounds} ${rounds === 1 ? 'round' : 'rounds'}.`,
    table(
      ['Figure', 'Median', 'Range', 'Goal'],
      [
        ...k6Figures(record).map(figureRow),
        ['CPU for a frame, Hopwhistle', `${number(nsPerFrame)} ns`, '', ''],
        ['CPU for a frame, Hopwhistle at the base', `${number(baseNsPerFrame)} ns`, '', ''],
      ],
      [1, 2],
    ),
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

const figureRow = (figure: Figure): readonly string[] => [
  figure.label,
  `${valueText(median(figure.rounds))} ${figure.unit}`,
  rangeText(figure.rounds),
  goalText(figure),
]

function section(
  part: PartName,
  { measuredAt, durationSeconds, source, base, figures, notes, tables = [] }: PartRecord,
): string {
  const rows = figures.map(figureRow)
  const rounds = Math.max(...figures.map((figure) => figure.rounds.length))
  const commit =
    source.commit === undefined
      ? ''
      : ` at commit \`${source.commit.slice(0, 7)}\`${source.dirty ? ' with changes' : ''}`
  const comparedWith = base === undefined ? '' : ` The base is commit \`${base.slice(0, 7)}\`.`
  return blocks(
    `## ${TITLES[part]}`,
    `${minute(measuredAt)},${commit}: ${rounds} ${rounds === 1 ? 'round' : 'rounds'} in ${duration(1000 * durationSeconds)}.`.replace(
      ', at',
      ' at',
    ) + comparedWith,
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
      'npm run comparisons -- measure                   # all of it',
      'npm run comparisons -- measure --only ingest     # or event-cost, idle, reports, live, scale, cost',
      'npm run comparisons -- measure --only event-cost --base v1.0     # compared with another commit than the base',
      'CENTRIFUGO=/path/to/centrifugo npm run comparisons -- measure --only live',
      'IMAGE_BUILDER=docker npm run comparisons -- measure --only cost',
      'npm run comparisons -- measure --quick           # small: shows that everything works, says nothing about the goals',
    ),
    'Raw numbers are in `comparisons/results/*.json`, the figures of this page in `comparisons/baselines`. A new ' +
      'measurement of a part replaces the old one; the other parts stay.',
  )
