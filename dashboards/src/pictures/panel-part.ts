/** One panel: what Grafana would show of the same figures, with less around it. */
import { COLOURS } from '@hopwhistle/platform/document/chart/theme.ts'
import type { Panel } from '../panels/panel.ts'
import type { Threshold } from '../panels/thresholds.ts'
import { formatValue } from './format-value.ts'
import { linesPart } from './lines-part.ts'
import { type Course, newest, type Series } from './panel-data.ts'
import { type Box, FONT_SIZE, join, LEVEL_COLOURS, type Part, rect, text } from './part.ts'
import { tablePart } from './table-part.ts'

export function panelPart(panel: Panel, series: readonly Series[], course: Course, box: Box): Part {
  const { x, y, width, height } = box
  const frame = rect(
    { x: x + 0.5, y: y + 0.5, width: width - 1, height: height - 1 },
    { fill: COLOURS.card, stroke: COLOURS.edge, r: 4, z: -1 },
  )
  const title = text(x + 10, y + 14, panel.title, { size: 11, weight: 600, colour: COLOURS.text, width: width - 20 })
  return join([{ graphics: [frame, title], plots: [] }, content(panel, series, course, box)])
}

function content(panel: Panel, series: readonly Series[], course: Course, box: Box): Part {
  if (series.every(({ points }) => points.length === 0)) return nothing(panel, box)
  switch (panel.kind) {
    case 'lines':
      return linesPart(panel, series, course, box)
    case 'figure':
      return figures(panel, series, box)
    case 'bars':
      return bars(panel, series, box)
    case 'table':
      return tablePart(panel, series, box)
  }
}

function nothing({ queries, noValue = 'no data' }: Panel, { x, y, width, height }: Box): Part {
  const said = queries.every(({ needs }) => needs === 'kubernetes') ? 'in Kubernetes only' : noValue
  return { graphics: [text(x + width / 2, y + height / 2 + 2, said, { align: 'center' })], plots: [] }
}

const colourOf = (value: number, thresholds: readonly Threshold[]): string =>
  LEVEL_COLOURS[thresholds.findLast(({ from }) => from === undefined || value >= from)?.level ?? 'good']

function figures({ unit, thresholds, queries }: Panel, series: readonly Series[], { x, y, width, height }: Box): Part {
  const shown = series.slice(0, Math.max(1, Math.floor(width / 90)))
  const room = width / shown.length
  const isNamed = shown.length > 1 || /\{\{/.test(queries[0]?.legend ?? '')
  const graphics = shown.flatMap((one, i) => {
    const value = newest(one)
    const middle = x + room * (i + 0.5)
    const colour = colourOf(value, thresholds)
    const figure = text(middle, y + height / 2 + 8, formatValue(value, unit), {
      size: 22,
      weight: 600,
      colour,
      align: 'center',
    })
    const name = text(middle, y + height - 13, one.name, { align: 'center', width: room - 10 })
    return isNamed ? [figure, name] : [figure]
  })
  return { graphics, plots: [] }
}

const ROW = 21
const BAR = 15
const BARS = { top: 28, left: 150, right: 72 }

function bars({ unit, thresholds, max }: Panel, series: readonly Series[], { x, y, width, height }: Box): Part {
  const shown = [...series].sort((a, b) => newest(b) - newest(a)).slice(0, Math.floor((height - BARS.top) / ROW))
  const most = max ?? Math.max(...shown.map(newest), Number.MIN_VALUE)
  const plot = {
    box: {
      left: x + BARS.left,
      top: y + BARS.top,
      width: width - BARS.left - BARS.right,
      height: shown.length * ROW,
    },
    x: { type: 'value' as const, show: false, min: 0, max: most },
    y: {
      type: 'category' as const,
      inverse: true,
      data: shown.map(({ name }) => name),
      axisLine: { show: false },
      axisTick: { show: false },
      axisLabel: {
        interval: 0,
        fontSize: FONT_SIZE,
        color: COLOURS.quiet,
        width: BARS.left - 18,
        overflow: 'truncate' as const,
      },
    },
    series: [
      {
        type: 'bar' as const,
        barWidth: BAR,
        barMinHeight: 1,
        showBackground: true,
        backgroundStyle: { color: COLOURS.shade },
        data: shown.map((one) => ({
          value: Math.max(0, Math.min(most, newest(one))),
          itemStyle: { color: colourOf(newest(one), thresholds) },
        })),
      },
    ],
  }
  const values = shown.map((one, i) =>
    text(x + width - 10, y + BARS.top + (i + 0.5) * ROW, formatValue(newest(one), unit), { align: 'right' }),
  )
  return { graphics: values, plots: [plot] }
}
