/** The newest values as a table: a row for each value of the panel's label, a column for each of its queries. */
import { COLOURS } from '@hopwhistle/platform/document/chart/theme.ts'
import type { Panel } from '../panels/panel.ts'
import { formatValue } from './format-value.ts'
import { newest, type Series } from './panel-data.ts'
import { type Box, type Part, rule, text } from './part.ts'

const LINE = 15
const TOP = 32
const MOST_COLUMN = 120
/** Of the name of a row. */
const NAME = 150
const HEADING = { weight: 600, colour: COLOURS.text } as const

export const tableHeight = (series: readonly Series[]): number =>
  TOP + 4 + LINE * (1 + new Set(series.map(({ row }) => row)).size)

export function tablePart(panel: Panel, series: readonly Series[], { x, y, width, height }: Box): Part {
  const { queries, unit, rowLabel = '', columnUnits = {} } = panel
  const columnWidth = Math.min(MOST_COLUMN, (width - NAME) / queries.length)
  const right = (column: number) => x + width - 14 - columnWidth * (queries.length - 1 - column)
  const last = (row: string, column: number) => {
    const found = series.find((one) => one.row === row && one.column === column)
    return found === undefined ? Number.NaN : newest(found)
  }
  const rank = (row: string) => (Number.isFinite(last(row, 0)) ? last(row, 0) : 0)
  const rows = [...new Set(series.map(({ row }) => row))]
    .sort((a, b) => rank(b) - rank(a))
    .slice(0, Math.floor((height - TOP - 12) / LINE))
  const graphics = [
    text(x + 10, y + TOP, rowLabel, HEADING),
    ...queries.map(({ legend }, column) => text(right(column), y + TOP, legend, { ...HEADING, align: 'right' })),
    ...rows.flatMap((row, i) => {
      const middle = y + TOP + (i + 1) * LINE
      return [
        rule(x + 10, x + width - 10, middle + 8),
        text(x + 10, middle, row, { width: right(0) - columnWidth / 2 - x - 10 }),
        ...queries.map(({ legend }, column) =>
          text(right(column), middle, formatValue(last(row, column), columnUnits[legend] ?? unit), { align: 'right' }),
        ),
      ]
    }),
  ]
  return { graphics, plots: [] }
}
