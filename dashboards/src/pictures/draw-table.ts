/** The newest values as a table: a row for each value of the panel's label, a column for each of its queries. */
import { line, text } from '@hopwhistle/platform/document/chart/svg.ts'
import type { Panel } from '../panels/panel.ts'
import { formatValue } from './format-value.ts'
import { newest, type Series } from './panel-data.ts'

const LINE = 15
const TOP = 36
const MOST_COLUMN = 120
/** Of the name of a row. */
const NAME = 150

type Size = { readonly width: number; readonly height: number }

export const tableHeight = (series: readonly Series[]): number =>
  TOP + LINE * (1 + new Set(series.map(({ row }) => row)).size)

export function drawTable(panel: Panel, series: readonly Series[], { width, height }: Size): string {
  const { queries, unit, rowLabel = '', columnUnits = {} } = panel
  const columnWidth = Math.min(MOST_COLUMN, (width - NAME) / queries.length)
  const right = (column: number) => width - 14 - columnWidth * (queries.length - 1 - column)
  const last = (row: string, column: number) => {
    const found = series.find((one) => one.row === row && one.column === column)
    return found === undefined ? Number.NaN : newest(found)
  }
  const rows = [...new Set(series.map(({ row }) => row))]
    .sort((a, b) => (Number.isFinite(last(b, 0)) ? last(b, 0) : 0) - (Number.isFinite(last(a, 0)) ? last(a, 0) : 0))
    .slice(0, Math.floor((height - TOP - 8) / LINE))
  const mostLetters = Math.floor((right(0) - columnWidth / 2) / 5.3)
  return [
    text(10, TOP, rowLabel, { class: 'title' }),
    ...queries.map(({ legend }, column) => text(right(column), TOP, legend, { class: 'title', 'text-anchor': 'end' })),
    ...rows.flatMap((row, i) => {
      const y = TOP + (i + 1) * LINE
      return [
        line(10, y + 4, width - 10, y + 4, 'grid'),
        text(10, y, row.length > mostLetters ? `${row.slice(0, mostLetters - 1)}…` : row),
        ...queries.map(({ legend }, column) =>
          text(right(column), y, formatValue(last(row, column), columnUnits[legend] ?? unit), { 'text-anchor': 'end' }),
        ),
      ]
    }),
  ].join('')
}
