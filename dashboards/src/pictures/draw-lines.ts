/** The lines of a panel over time, with its thresholds and what each line was last and at most. */
import { linearScale, logScale, type Scale } from '../../../loadtests/bench/document/chart/scale.ts'
import { element, line, path, text } from '../../../loadtests/bench/document/chart/svg.ts'
import type { Panel } from '../panels/panel.ts'
import { formatValue } from './format-value.ts'
import { highest, newest, type Series } from './panel-data.ts'
import { SERIES_COLOURS } from './picture-style.ts'

const MOST_SERIES = 8
const LEGEND_LINE = 12
const LEFT = 58
const RIGHT = 10
const TOP = 28
const LETTER = 5.3
/** Of the two figures behind a name. */
const FIGURES_LETTERS = 24
/** A logarithm knows no 0: seconds below a tenth of a millisecond are shown as that. */
const LOG_FROM = 1e-4

type Size = { readonly width: number; readonly height: number }

export function drawLines(panel: Panel, all: readonly Series[], { width, height }: Size): string {
  const series = [...all].sort((a, b) => highest(b) - highest(a)).slice(0, MOST_SERIES)
  const columns = Math.max(1, Math.min(series.length, Math.floor((width - 20) / legendWidth(series))))
  const legendLines = Math.ceil(series.length / columns)
  const bottom = height - 12 - legendLines * LEGEND_LINE
  const stacked = panel.stacked ? stack(series) : series
  const most = Math.max(...stacked.map(highest), panel.max === 1 ? 1 : 0)
  const y = scaleOf(panel, stacked, most, bottom)
  const times = series.flatMap(({ points }) => points.map(([at]) => at))
  const [from, to] = [Math.min(...times), Math.max(...times)]
  const x = (at: number) => LEFT + ((width - LEFT - RIGHT) * (at - from)) / Math.max(1, to - from)
  return [
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
    ...stacked.map(({ points }, i) =>
      path(
        withGaps(points).map(([at, value]) => [x(at), value === null ? null : y.at(least(panel, value))] as const),
        `s${i % SERIES_COLOURS}`,
      ),
    ),
    ...series.map((one, i) => legend(panel, one, i, columns, bottom + 14, (width - 20) / columns)),
  ].join('')
}

const least = ({ scale }: Panel, value: number): number => (scale === 'log' ? Math.max(value, LOG_FROM) : value)

/** Where a value is missing, the line ends and begins anew. */
function withGaps(points: Series['points']): readonly (readonly [number, number | null])[] {
  const step = Math.min(...points.slice(1).map(([at], i) => at - (points[i]?.[0] ?? at)))
  return points.flatMap(([at, value], i) => {
    const before = points[i - 1]?.[0]
    const missing = before !== undefined && at - before > 1.5 * step
    return missing ? [[at, null] as const, [at, value] as const] : [[at, value] as const]
  })
}

function scaleOf({ scale }: Panel, series: readonly Series[], most: number, bottom: number): Scale {
  if (scale !== 'log') return linearScale(Math.max(most, 1e-3), bottom, TOP, 3)
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

const legendWidth = (series: readonly Series[]): number =>
  LETTER * (FIGURES_LETTERS + Math.max(...series.map(({ name }) => name.length)))

function legend({ unit }: Panel, one: Series, i: number, columns: number, top: number, width: number): string {
  const x = 10 + (i % columns) * width
  const y = top + Math.floor(i / columns) * LEGEND_LINE
  const figures = `${formatValue(newest(one), unit)} · max ${formatValue(highest(one), unit)}`
  const room = Math.floor((width - 16) / LETTER) - figures.length - 1
  const name = one.name.length > room ? `${one.name.slice(0, Math.max(3, room - 1))}…` : one.name
  return (
    element('rect', { x, y: y - 5, width: 8, height: 3, class: `s${i % SERIES_COLOURS}-fill` }) +
    text(x + 12, y, `${name} ${figures}`)
  )
}
