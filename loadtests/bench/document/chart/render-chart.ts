/** Draws a scenario's chart: latencies over time on a logarithmic scale, and the rate below, each with its target. */

import { linearScale, logScale, type Scale, timeScale } from '@hopwhistle/platform/document/chart/scale.ts'
import { STYLE } from '@hopwhistle/platform/document/chart/style.ts'
import { area, element, escapeXml, line, type Point, path, text } from '@hopwhistle/platform/document/chart/svg.ts'
import { timeAxis } from '@hopwhistle/platform/document/chart/time-axis.ts'
import { number } from '@hopwhistle/platform/document/figures.ts'
import type { Metric } from '../../evidence/verdict.ts'
import type { ChartData, ChartPoint } from '../chart-data.ts'

export type ChartOptions = {
  readonly title: string
  /** Profile, date, environment. */
  readonly subtitle: string
  readonly metrics: readonly Metric[]
  readonly data: ChartData
}

const WIDTH = 880
const HEIGHT = 430
const LEFT = 64
const RIGHT = WIDTH - 112
const LATENCY = { top: 78, bottom: 262 }
const RATE = { top: 304, bottom: 382 }
const SERIES = [
  { name: 'p50', place: 2 },
  { name: 'p95', place: 3 },
  { name: 'p99', place: 4 },
] as const

/** @returns a whole SVG document; the same input, the same bytes */
export function renderChart({ title, subtitle, metrics, data }: ChartOptions): string {
  const seconds = Math.max(1, data.phases.find(({ name }) => name === 'peak')?.toSeconds ?? 1)
  const x = timeScale(seconds, LEFT, RIGHT, 8)
  const parts = [
    element('title', {}, escapeXml(`${title}: rate and latency over time`)),
    element('desc', {}, escapeXml(`${subtitle}. ${metrics.map(describe).join(', ')}.`)),
    element('style', {}, STYLE),
    element('rect', { x: 0.5, y: 0.5, width: WIDTH - 1, height: HEIGHT - 1, rx: 8, class: 'card' }),
    text(20, 30, title, { class: 'title' }),
    text(20, 49, subtitle),
    legend(metrics),
    phases(data, x),
    latencies(data, metrics, x),
    rates(data, metrics, x),
    timeAxis(x, LEFT, RIGHT, RATE.bottom),
  ]
  const root = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    width: WIDTH,
    height: HEIGHT,
    role: 'img',
  }
  return `${element('svg', root, `\n${parts.filter((part) => part !== '').join('\n')}\n`)}\n`
}

const describe = ({ label, measured, unit, comparison, target }: Metric): string =>
  `${label} ${measured === undefined ? 'not measured' : `${number(measured, 1)} ${unit}`} (target ${comparison} ${target} ${unit})`

function legend(metrics: readonly Metric[]): string {
  const unit = metrics.find(({ name }) => name === 'rate')?.unit ?? 'per second'
  const entries = [...SERIES.map(({ name }) => ({ name, label: name })), { name: 'rate', label: unit }]
  // Letters of this size and weight are about this wide.
  let at = WIDTH - 20 - (3 * 58 + 23 + 6.4 * unit.length)
  return entries
    .map(({ name, label }) => {
      const entry = element(
        'g',
        {},
        line(at, 26, at + 18, 26, name) + text(at + 23, 30, label, { class: `${name}-text` }),
      )
      at += 58
      return entry
    })
    .join('')
}

/** The ramp is shaded; every phase is named above the latencies. */
function phases({ phases }: ChartData, x: Scale): string {
  return phases
    .filter(({ name }) => name !== 'cool')
    .map(({ name, fromSeconds, toSeconds }) => {
      const [from, to] = [x.at(fromSeconds), x.at(toSeconds)]
      const box = ({ top, bottom }: { top: number; bottom: number }) =>
        name === 'ramp'
          ? element('rect', { x: from, y: top, width: to - from, height: bottom - top, class: 'ramp' })
          : ''
      const middle = { 'text-anchor': 'middle', ...(name === 'peak' ? { class: 'strong' } : {}) }
      return box(LATENCY) + box(RATE) + text((from + to) / 2, LATENCY.top - 9, name, middle)
    })
    .join('')
}

function latencies({ points }: ChartData, metrics: readonly Metric[], x: Scale): string {
  const targets = metrics.filter(({ unit }) => unit === 'ms')
  const measured = points.flatMap((point) => SERIES.flatMap(({ place }) => point[place] ?? []))
  const low = Math.max(0.1, Math.min(...measured, ...targets.map(({ target }) => target)))
  const high = Math.max(...measured, ...targets.map(({ target }) => target * 1.2), low * 10)
  const y = logScale(low, high, LATENCY.bottom, LATENCY.top)
  return [
    axis(y, LATENCY, (tick) => number(tick, tick < 1 ? 1 : 0)),
    text(20, LATENCY.top - 9, 'latency in ms', { class: 'strong' }),
    ...targets.map(({ name, target }) => targetLine(y.at(target), name, `${name} < ${target} ms`)),
    ...SERIES.map(({ name, place }) =>
      path(
        points.map((point) => [x.at(point[0]), inside(y, point[place])]),
        name,
      ),
    ),
  ].join('')
}

const inside = (y: Scale, value: number | null): number | null => (value === null ? null : y.at(Math.max(0.1, value)))

function rates({ points }: ChartData, metrics: readonly Metric[], x: Scale): string {
  const metric = metrics.find(({ name }) => name === 'rate')
  const target = metric?.target ?? 0
  const highest = points.reduce((most, [, rate]) => Math.max(most, rate), 0)
  const y = linearScale(Math.max(highest, target * 1.1, 1), RATE.bottom, RATE.top, 4)
  const at = (point: ChartPoint) => [x.at(point[0]), y.at(point[1])] as const
  const line: Point[] = points.map(at)
  return [
    axis(y, RATE, (tick) => number(tick)),
    text(20, RATE.top - 9, metric?.unit ?? 'per second', { class: 'strong' }),
    area(points.map(at), RATE.bottom, 'rate-area'),
    path(line, 'rate'),
    targetLine(y.at(target), 'rate', `target ${number(target)}/s`),
  ].join('')
}

function axis(y: Scale, { top, bottom }: { top: number; bottom: number }, label: (tick: number) => string): string {
  const lines = y.ticks
    .filter((tick) => y.at(tick) >= top - 0.5)
    .map((tick) => {
      const grid = line(LEFT, y.at(tick), RIGHT, y.at(tick), 'grid')
      return grid + text(LEFT - 8, y.at(tick) + 4, label(tick), { 'text-anchor': 'end' })
    })
  return lines.join('') + line(LEFT, bottom, RIGHT, bottom, 'axis')
}

const targetLine = (y: number, name: string, label: string): string =>
  line(LEFT, y, RIGHT, y, `target ${name}`) + text(RIGHT + 8, y + 4, label, { class: `${name}-text` })
