/** The lines of a panel over time, with its thresholds and what each line was last and at most. */
import { linearScale, logScale, type Scale, timeScale } from '@hopwhistle/platform/document/chart/scale.ts'
import { area, element, line, type Point, path, text } from '@hopwhistle/platform/document/chart/svg.ts'
import type { Panel } from '../panels/panel.ts'
import type { Span } from './ask-prometheus.ts'
import { formatValue } from './format-value.ts'
import { highest, newest, type Series, type TestRun } from './panel-data.ts'
import { SERIES_COLOURS } from './picture-style.ts'

const MOST_SERIES = 8
const LEGEND_LINE = 12
const LEFT = 58
const RIGHT = 10
const TOP = 28
/** The line of times below a chart. */
const TIMES = 13
const LETTER = 5.3
/** A logarithm knows no 0: seconds below a tenth of a millisecond are shown as that. */
const LOG_FROM = 1e-4

type Size = { readonly width: number; readonly height: number }

/** What all panels of a board have in common: the time that they show, and when load tests ran. */
export type Course = Required<Span> & { readonly tests: readonly TestRun[] }

export function drawLines(panel: Panel, all: readonly Series[], course: Course, { width, height }: Size): string {
  const series = [...all].sort((a, b) => highest(b) - highest(a)).slice(0, MOST_SERIES)
  const columns = Math.max(1, Math.min(series.length, Math.floor((width - 20) / legendWidth(panel, series))))
  const legendLines = Math.ceil(series.length / columns)
  const bottom = height - 12 - TIMES - legendLines * LEGEND_LINE
  // What is nothing lies at the bottom, and does not hide what is on top.
  const stacked = panel.stacked ? stack(series.toReversed()).toReversed() : series
  const most = Math.max(...stacked.map(highest), panel.max === 1 ? 1 : 0)
  const y = scaleOf(panel, stacked, most, bottom)
  const { fromSeconds: from, toSeconds: to } = course
  const time = timeScale(to - from, LEFT, width - RIGHT, Math.floor((width - LEFT) / 70))
  const x = (at: number) => time.at(at - from)
  return [
    ...course.tests.map(({ fromSeconds, toSeconds }) =>
      element('rect', {
        x: x(fromSeconds),
        y: TOP,
        width: x(toSeconds) - x(fromSeconds),
        height: bottom - TOP,
        class: 'test',
      }),
    ),
    ...time.ticks.map((tick) =>
      text(time.at(tick), bottom + 12, clock(tick), { 'text-anchor': anchorAt(tick, to - from) }),
    ),
    ...y.ticks
      .filter((tick) => y.at(tick) >= TOP - 1 && y.at(tick) <= bottom + 1)
      .map(
        (tick) =>
          line(LEFT, y.at(tick), width - RIGHT, y.at(tick), 'grid') +
          text(LEFT - 6, y.at(tick) + 3.5, formatValue(tick, panel.unit), { 'text-anchor': 'end' }),
      ),
    ...panel.thresholds
      .filter(({ from: at }) => at !== undefined && at > 0.01 && y.at(at) >= TOP - 1 && y.at(at) <= bottom)
      .map(({ from: at, level }) => line(LEFT, y.at(at ?? 0), width - RIGHT, y.at(at ?? 0), `${level}-line`)),
    ...stacked.flatMap(({ points }, i) => {
      const drawn = withGaps(points, course.stepSeconds).map(
        ([at, value]) => [x(at), value === null ? null : y.at(least(panel, value))] as const,
      )
      const colour = `s${i % SERIES_COLOURS}`
      return panel.stacked ? [below(drawn, bottom, colour), path(drawn, colour)] : [path(drawn, colour)]
    }),
    ...series.map((one, i) => legend(panel, one, i, columns, bottom + 14 + TIMES, (width - 20) / columns)),
  ].join('')
}

/** The first and the last stay within the chart. */
const anchorAt = (tick: number, end: number): string => (tick === 0 ? 'start' : tick > 0.97 * end ? 'end' : 'middle')

/** Since the beginning: which minute of the day it was tells nobody anything. */
const clock = (seconds: number): string => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`

const least = ({ scale }: Panel, value: number): number => (scale === 'log' ? Math.max(value, LOG_FROM) : value)

/** The area below a line, with its gaps; the lines come from the top, so that each covers what is below it. */
function below(points: readonly Point[], base: number, colour: string): string {
  const parts: (readonly [number, number])[][] = [[]]
  for (const [x, y] of points) {
    if (y === null) parts.push([])
    else parts.at(-1)!.push([x, y])
  }
  return parts.map((part) => area(part, base, 'cover') + area(part, base, `${colour}-area`)).join('')
}

/** Where a value is missing, the line ends and begins anew. */
function withGaps(points: Series['points'], step: number): readonly (readonly [number, number | null])[] {
  return points.flatMap(([at, value], i) => {
    const before = points[i - 1]?.[0]
    const missing = before !== undefined && at - before > 1.5 * step
    return missing ? [[at, null] as const, [at, value] as const] : [[at, value] as const]
  })
}

function scaleOf({ scale, unit }: Panel, series: readonly Series[], most: number, bottom: number): Scale {
  if (scale !== 'log') {
    // Bytes are counted in powers of 1,024.
    const one = unit === 'bytes' || unit === 'Bps' ? 1024 ** Math.floor(Math.log(most || 1) / Math.log(1024)) : 1
    const { ticks, at } = linearScale((most || 1) / one, bottom, TOP, 3)
    return { ticks: ticks.map((tick) => tick * one), at: (value) => at(value / one) }
  }
  const positive = series.flatMap(({ points }) => points.map(([, value]) => value).filter((value) => value > 0))
  const low = Math.max(LOG_FROM, Math.min(...positive, 1e-2))
  return logScale(low, Math.max(most, low * 10), bottom, TOP)
}

/** Each on top of those before it, where they have a value at the same time. */
function stack(series: readonly Series[]): readonly Series[] {
  const sums = new Map<number, number>()
  return series.map((one) => ({
    ...one,
    points: one.points.map(([at, value]) => {
      const sum = (sums.get(at) ?? 0) + value
      sums.set(at, sum)
      return [at, sum] as const
    }),
  }))
}

const figures = ({ unit }: Panel, one: Series): string =>
  `${formatValue(newest(one), unit)} · max ${formatValue(highest(one), unit)}`

const legendWidth = (panel: Panel, series: readonly Series[]): number =>
  16 + LETTER * Math.max(...series.map((one) => `${one.name} ${figures(panel, one)} `.length))

function legend(panel: Panel, one: Series, i: number, columns: number, top: number, width: number): string {
  const x = 10 + (i % columns) * width
  const y = top + Math.floor(i / columns) * LEGEND_LINE
  const said = figures(panel, one)
  const room = Math.floor((width - 16) / LETTER) - said.length - 1
  const name = one.name.length > room ? `${one.name.slice(0, Math.max(3, room - 1))}…` : one.name
  return (
    element('rect', { x, y: y - 5, width: 8, height: 3, class: `s${i % SERIES_COLOURS}-fill` }) +
    text(x + 12, y, `${name} ${said}`)
  )
}
