import { linearScale, timeScale } from '../../platform/document/chart/scale.ts'
import { STYLE } from '../../platform/document/chart/style.ts'
import { element, line, path, text } from '../../platform/document/chart/svg.ts'
import { timeAxis } from '../../platform/document/chart/time-axis.ts'
import { RESOURCES, type Resource, type Sample } from './watch-resources.ts'

const WIDTH = 880
const LEFT = 64
const RIGHT = WIDTH - 24
const FIRST_TOP = 86
const ROW = 96
const ROW_HEIGHT = 56

/** One row for each resource, over the time of the soak. @returns a whole SVG document */
export function renderSoak(title: string, subtitle: string, samples: readonly Sample[]): string {
  const names = Object.keys(RESOURCES) as Resource[]
  const height = FIRST_TOP + ROW * names.length + 24
  const x = timeScale(Math.max(1, samples.at(-1)?.seconds ?? 1), LEFT, RIGHT, 8)
  const rows = names.flatMap((name, i) => {
    const top = FIRST_TOP + ROW * i
    const bottom = top + ROW_HEIGHT
    const most = Math.max(1, ...samples.map((sample) => sample[name]))
    const y = linearScale(most, bottom, top, 2)
    const { title: of, unit } = RESOURCES[name]
    return [
      text(LEFT, top - 10, unit === '' ? of : `${of}, ${unit}`, { class: 'strong' }),
      ...y.ticks.map((tick) => line(LEFT, y.at(tick), RIGHT, y.at(tick), 'grid')),
      ...y.ticks.map((tick) => text(LEFT - 8, y.at(tick) + 4, String(tick), { 'text-anchor': 'end' })),
      path(
        samples.map((sample) => [x.at(sample.seconds), y.at(sample[name])]),
        'p50',
      ),
    ]
  })
  const parts = [
    element('title', {}, title),
    element('style', {}, STYLE),
    element('rect', { x: 0.5, y: 0.5, width: WIDTH - 1, height: height - 1, rx: 8, class: 'card' }),
    text(20, 30, title, { class: 'title' }),
    text(20, 49, subtitle),
    ...rows,
    timeAxis(x, LEFT, RIGHT, FIRST_TOP + ROW * (names.length - 1) + ROW_HEIGHT),
  ]
  const root = { xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${WIDTH} ${height}`, width: WIDTH, height }
  return `${element('svg', { ...root, role: 'img' }, `\n${parts.join('\n')}\n`)}\n`
}
