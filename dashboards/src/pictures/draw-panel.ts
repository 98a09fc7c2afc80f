/** One panel as SVG: what Grafana would show of the same figures, with less around it. */
import { element, line, text } from '@hopwhistle/platform/document/chart/svg.ts'
import type { Panel } from '../panels/panel.ts'
import type { Level, Threshold } from '../panels/thresholds.ts'
import { type Course, drawLines } from './draw-lines.ts'
import { drawTable } from './draw-table.ts'
import { formatValue } from './format-value.ts'
import { newest, type Series } from './panel-data.ts'

export type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number }

export function drawPanel(panel: Panel, series: readonly Series[], course: Course, box: Box): string {
  const { title, kind, queries } = panel
  const parts = [
    element('rect', { x: 0.5, y: 0.5, width: box.width - 1, height: box.height - 1, rx: 4, class: 'card' }),
    text(10, 18, cut(title, box.width / 6.2), { class: 'title' }),
  ]
  if (series.every(({ points }) => points.length === 0))
    parts.push(
      nothing(
        queries.every(({ needs }) => needs === 'kubernetes'),
        panel,
        box,
      ),
    )
  else if (kind === 'lines') parts.push(drawLines(panel, series, course, box))
  else if (kind === 'figure') parts.push(figures(panel, series, box))
  else if (kind === 'bars') parts.push(bars(panel, series, box))
  else parts.push(drawTable(panel, series, box))
  return element('g', { transform: `translate(${Math.round(box.x)} ${Math.round(box.y)})` }, parts.join(''))
}

export const cut = (content: string, most: number): string =>
  content.length <= most ? content : `${content.slice(0, Math.max(1, Math.floor(most) - 1))}…`

export function levelOf(value: number, thresholds: readonly Threshold[]): Level {
  return thresholds.findLast(({ from }) => from === undefined || value >= from)?.level ?? 'good'
}

const nothing = (isKubernetes: boolean, { noValue }: Panel, { width, height }: Box): string =>
  text(width / 2, height / 2 + 6, isKubernetes ? 'in Kubernetes only' : (noValue ?? 'no data'), {
    'text-anchor': 'middle',
  })

function figures({ unit, thresholds, queries }: Panel, series: readonly Series[], { width, height }: Box): string {
  const shown = series.slice(0, Math.max(1, Math.floor(width / 90)))
  return shown
    .map((one, i) => {
      const value = newest(one)
      const middle = (width / shown.length) * (i + 0.5)
      const centred = { 'text-anchor': 'middle' }
      const named = shown.length > 1 || /\{\{/.test(queries[0]?.legend ?? '')
      return (
        text(middle, height / 2 + 16, formatValue(value, unit), {
          ...centred,
          class: `figure ${levelOf(value, thresholds)}`,
        }) + (named ? text(middle, height - 10, cut(one.name, 16), centred) : '')
      )
    })
    .join('')
}

const BAR = { top: 30, height: 15, gap: 6, name: 150, value: 62 }

function bars({ unit, thresholds, max }: Panel, series: readonly Series[], { width, height }: Box): string {
  const room = Math.floor((height - BAR.top) / (BAR.height + BAR.gap))
  const sorted = [...series].sort((a, b) => newest(b) - newest(a)).slice(0, room)
  const most = max ?? Math.max(...sorted.map(newest), Number.MIN_VALUE)
  const length = width - BAR.name - BAR.value - 20
  return sorted
    .map((one, i) => {
      const y = BAR.top + i * (BAR.height + BAR.gap)
      const value = newest(one)
      const part = Math.max(0, Math.min(1, value / most))
      return (
        text(10, y + 11, cut(one.name, 25)) +
        line(BAR.name, y + BAR.height, BAR.name + length, y + BAR.height, 'grid') +
        element('rect', {
          x: BAR.name,
          y,
          width: Math.max(1, length * part),
          height: BAR.height,
          class: levelOf(value, thresholds),
        }) +
        text(width - 10, y + 11, formatValue(value, unit), { 'text-anchor': 'end' })
      )
    })
    .join('')
}
