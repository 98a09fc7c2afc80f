/** Renders figures as a table for the terminal. */
import { number, figure as text } from '@hopwhistle/platform/document/figures.ts'
import { median, range } from './arithmetic.ts'
import { type Figure, meetsGoal } from './measure/figure.ts'
import type { PartName } from './parts.ts'
import type { PartRecord } from './record.ts'

export const everyGoalIsMet = (figures: readonly Figure[]): boolean =>
  figures.every(({ rounds, goal }) => goal === undefined || meetsGoal(median(rounds), goal))

/** `4,812`, `12.3`, `0.91`: larger values have fewer decimals. */
export const valueText = (value: number): string =>
  value >= 100 ? number(value) : value >= 10 ? number(value, 1) : text2(value)

const text2 = (value: number): string => (value >= 1 ? number(value, 2) : text(value))

/** `4,700 to 4,900`; empty for one round. */
export function rangeText(rounds: readonly number[]): string {
  if (rounds.length < 2) return ''
  const [least, most] = range(rounds)
  return `${valueText(least)} to ${valueText(most)}`
}

/** `≥ 10 ✓`; empty for a figure without a goal. */
export function goalText({ rounds, goal }: Figure): string {
  if (goal === undefined) return ''
  return `${goal.comparison} ${goal.value} ${meetsGoal(median(rounds), goal) ? '✓' : '✗'}`
}

export function renderFigures(part: PartName, { figures, notes, tables = [] }: PartRecord): string {
  const rows = figures.map((figure) => [
    figure.label,
    `${valueText(median(figure.rounds))} ${figure.unit}`,
    rangeText(figure.rounds),
    goalText(figure),
  ])
  return [
    `${part}: median, range, goal`,
    ...aligned(rows, [1, 2]),
    '',
    ...tables.flatMap(({ title, header, rows, right }) => [`  ${title}`, ...aligned([header, ...rows], right), '']),
    ...notes.map((note) => `  ${note}`),
  ].join('\n')
}

function aligned(rows: readonly (readonly string[])[], right: readonly number[]): readonly string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const cell = (text: string, column: number) =>
    right.includes(column) ? text.padStart(widths[column]!) : text.padEnd(widths[column]!)
  return rows.map((row) => `  ${row.map(cell).join('   ')}`.trimEnd())
}
