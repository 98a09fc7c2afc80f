/** The lines of a panel over time, with its thresholds and what each line was last and at most. */
import {
  line,
  logScale,
  type Plot,
  roundScale,
  timeAxis,
  valueAxis,
} from '@hopwhistle/platform/document/chart/picture.ts'
import { COLOURS, LINE_COLOURS } from '@hopwhistle/platform/document/chart/theme.ts'
import type { Panel } from '../panels/panel.ts'
import { formatValue } from './format-value.ts'
import { type Course, highest, newest, type Series } from './panel-data.ts'
import { type Box, FONT_SIZE, LEVEL_COLOURS, type Part, rect, text } from './part.ts'

const LEGEND_LINE = 12
const LEFT = 64
const RIGHT = 10
const TOP = 28
/** The line of times below a chart. */
const TIMES = 13
const LETTER = 5.3
/** A logarithm knows no 0: seconds below a tenth of a millisecond are shown as that. */
const LOG_FROM = 1e-4

export function linesPart(panel: Panel, all: readonly Series[], course: Course, box: Box): Part {
  const series = [...all].sort((a, b) => highest(b) - highest(a)).slice(0, LINE_COLOURS.length)
  const columns = Math.max(1, Math.min(series.length, Math.floor((box.width - 20) / legendWidth(panel, series))))
  const height = box.height - TOP - 12 - TIMES - Math.ceil(series.length / columns) * LEGEND_LINE
  const columnWidth = (box.width - 20) / columns
  const legendTop = box.y + TOP + height + 10 + TIMES
  const entries = series.flatMap((one, i) =>
    legendEntry(panel, one, i, {
      x: box.x + 10 + (i % columns) * columnWidth,
      y: legendTop + Math.floor(i / columns) * LEGEND_LINE,
      width: columnWidth,
    }),
  )
  return { graphics: entries, plots: [plot(panel, series, course, { ...box, height })] }
}

function plot(panel: Panel, series: readonly Series[], course: Course, { x, y, width, height }: Box): Plot {
  const { fromSeconds, toSeconds, stepSeconds, tests } = course
  const span = toSeconds - fromSeconds
  // Each line has a value or none at each of these times, so that it is interrupted where one is missing.
  const times = Array.from(
    { length: Math.floor(span / stepSeconds + 1e-9) + 1 },
    (_, i) => fromSeconds + i * stepSeconds,
  )
  const columns = series.map(({ points }) => {
    const values = new Map(points.map(([at, value]) => [Math.round((at - fromSeconds) / stepSeconds), value]))
    return times.map((_, i) => values.get(i) ?? null)
  })
  const scale = scaleOf(panel, columns)
  const marks = {
    markLine: {
      silent: true,
      symbol: 'none',
      label: { show: false },
      data: panel.thresholds.flatMap(({ from, level }) =>
        from === undefined || from <= 0.01 || from > scale.max
          ? []
          : [{ yAxis: from, lineStyle: { color: LEVEL_COLOURS[level], type: [4, 3], width: 1, opacity: 0.6 } }],
      ),
    },
    markArea: {
      silent: true,
      itemStyle: { color: COLOURS.p50, opacity: 0.07 },
      data: tests.map((test): [object, object] => [
        { xAxis: Math.max(0, test.fromSeconds - fromSeconds) },
        { xAxis: Math.min(span, test.toSeconds - fromSeconds) },
      ]),
    },
  }
  const lines = series.map(({ name }, i) => {
    const colour = LINE_COLOURS[i] as string
    const data = times.map((at, t) => [at - fromSeconds, atLeast(panel, columns[i]?.[t] ?? null)] as const)
    const drawn = line(name, colour, data, 1.4)
    return panel.stacked ? { ...drawn, stack: `${x} ${y}`, areaStyle: { color: colour, opacity: 0.25 } } : drawn
  })
  const [first, ...others] = panel.stacked ? lines.toReversed() : lines
  const time = timeAxis(span, Math.floor((width - LEFT) / 70))
  return {
    box: { left: x + LEFT, top: y + TOP, width: width - LEFT - RIGHT, height },
    x: {
      ...time,
      name: '',
      axisTick: { show: false },
      axisLine: { show: false },
      axisLabel: {
        ...time.axisLabel,
        fontSize: FONT_SIZE,
        margin: 5,
        alignMinLabel: 'left' as const,
        alignMaxLabel: 'right' as const,
      },
    },
    y: { ...valueAxis((tick) => formatValue(tick, panel.unit), FONT_SIZE), ...scale },
    series: [{ ...first, ...marks } as NonNullable<typeof first>, ...others],
  }
}

const atLeast = ({ scale }: Panel, value: number | null): number | null =>
  scale === 'log' && value !== null ? Math.max(value, LOG_FROM) : value

/** @param columns the values of each line, all at the same times */
function scaleOf({ scale, unit, stacked, max }: Panel, columns: readonly (readonly (number | null)[])[]) {
  const values = columns.flatMap((column) => column.filter((value) => value !== null))
  if (scale === 'log') {
    const low = Math.max(LOG_FROM, Math.min(...values.filter((value) => value > 0), 1e-2))
    return { type: 'log' as const, ...logScale(low, Math.max(...values, low * 10)) }
  }
  const sums = (columns[0] ?? []).map((_, i) => columns.reduce((sum, column) => sum + (column[i] ?? 0), 0))
  const most = Math.max(...(stacked ? sums : values), max === 1 ? 1 : 0) || 1
  // Bytes are counted in powers of 1,024.
  const one = unit === 'bytes' || unit === 'Bps' ? 1024 ** Math.floor(Math.log(most) / Math.log(1024)) : 1
  const { max: end, interval } = roundScale(most / one, 3)
  return { type: 'value' as const, min: 0, max: end * one, interval: interval * one }
}

const figures = ({ unit }: Panel, one: Series): string =>
  `${formatValue(newest(one), unit)} · max ${formatValue(highest(one), unit)}`

const legendWidth = (panel: Panel, series: readonly Series[]): number =>
  16 + LETTER * Math.max(...series.map((one) => `${one.name} ${figures(panel, one)} `.length))

function legendEntry(panel: Panel, one: Series, i: number, { x, y, width }: Omit<Box, 'height'>) {
  const said = figures(panel, one)
  const room = Math.floor((width - 16) / LETTER) - said.length - 1
  const name = one.name.length > room ? `${one.name.slice(0, Math.max(3, room - 1))}…` : one.name
  return [
    rect({ x, y: y - 1.5, width: 8, height: 3 }, { fill: LINE_COLOURS[i] as string }),
    text(x + 12, y, `${name} ${said}`),
  ]
}
