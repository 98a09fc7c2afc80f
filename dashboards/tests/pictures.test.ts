import { renderSvg } from '@hopwhistle/platform/document/chart/render-svg.ts'
import { COLOURS, LINE_COLOURS } from '@hopwhistle/platform/document/chart/theme.ts'
import { expect, test } from 'vitest'
import type { Board } from '../src/boards/board.ts'
import { BOARDS } from '../src/boards/boards.ts'
import { bars, figure, lines, type Panel, table } from '../src/panels/panel.ts'
import { below } from '../src/panels/thresholds.ts'
import { boardPicture } from '../src/pictures/board-picture.ts'
import type { Series } from '../src/pictures/panel-data.ts'

const query = { expr: 'up', legend: '{{instance}}', needs: 'stack' as const }
const rest = { unit: 's' as const, description: '', thresholds: [], queries: [query] }
const course = {
  fromSeconds: 1_000,
  toSeconds: 1_060,
  stepSeconds: 10,
  tests: [{ fromSeconds: 1_020, toSeconds: 1_040 }],
}

const series = (name: string, ...values: readonly (number | undefined)[]): Series => ({
  name,
  row: name,
  column: 0,
  points: values.flatMap((value, i) => (value === undefined ? [] : [[1_000 + 10 * i, value] as const])),
})

function draw(panels: readonly Panel[], dataOf: (panel: Panel) => readonly Series[]): string {
  const board: Board = {
    name: 'api',
    title: 'A board',
    description: 'What it is for.',
    rows: [{ title: 'A row', panels }],
  }
  return renderSvg(boardPicture({ board, subtitle: 'under load', course, dataOf }))
}
const paths = (svg: string, colour: string) =>
  [...svg.matchAll(new RegExp(`<path d="([^"]*)" fill="none" stroke="${colour}"`, 'g'))].map(([, d]) => d!)

test('every board is drawn, with data and without', { timeout: 120_000 }, () => {
  for (const board of BOARDS) {
    const drawn = (data: readonly Series[]) =>
      renderSvg(boardPicture({ board, subtitle: 'under load', course, dataOf: () => data }))
    for (const svg of [drawn([]), drawn([series('a', 0, 0.5, 1), series('b', 2)])]) {
      expect(svg).toContain(`>${board.title.replaceAll('&', '&amp;')}</text>`)
      expect(svg).not.toMatch(/NaN|undefined|Infinity/)
    }
    expect(drawn([series('a', 1)])).toBe(drawn([series('a', 1)]))
  }
})

test('a line is interrupted where Prometheus has no value, and says what it was last and at most', () => {
  const svg = draw([lines({ ...rest, title: 'Time' })], () => [series('api-1', 0.2, 0.4, undefined, 0.1, 0.3)])
  expect(paths(svg, LINE_COLOURS[0]!)).toEqual([expect.stringMatching(/^M[^M]*M[^M]*$/)])
  expect(svg).toContain('>api-1 300 ms · max 400 ms</text>')
  for (const text of ['A row', 'Time', '0:00', '1:00', '400 ms']) expect(svg).toContain(`>${text}</text>`)
})

test('thresholds and load tests are drawn where they are within the axes', () => {
  const svg = draw([lines({ ...rest, title: 'Time', thresholds: below(0.4) })], () => [series('a', 0.2, 0.5)])
  expect([paths(svg, COLOURS.bad!).length, paths(svg, COLOURS.p99!).length]).toEqual([1, 1])
  expect(svg.match(new RegExp(`<polygon [^>]*fill="${COLOURS.p50}"`, 'g'))).toHaveLength(1)
})

test('stacked panels of one board do not stand on each other', () => {
  const stacked = (title: string) => lines({ ...rest, title, stacked: true, width: 12 })
  const svg = draw([stacked('one'), stacked('two')], () => [series('small', 1, 1), series('large', 4, 4)])
  const heights = (colour: string) => paths(svg, colour).map((d) => Number(/^M[\d.]+ ([\d.]+)/.exec(d)![1]))
  // The largest is the first colour, and on top.
  const [top, bottom] = [heights(LINE_COLOURS[0]!), heights(LINE_COLOURS[1]!)]
  expect([top[0], bottom[0]]).toEqual([top[1], bottom[1]])
  expect(top[0]).toBeLessThan(bottom[0]!)
})

test('figures and bars have the colour of their level, and a table a row for each label', () => {
  const thresholds = below(1)
  const panels = [
    figure({ ...rest, title: 'Now', thresholds }),
    bars({ ...rest, title: 'By instance', thresholds }),
    table({ ...rest, title: 'All', rowLabel: 'statement' }),
  ]
  const svg = draw(panels, () => [series('good', 0.1), series('bad', 3)])
  for (const colour of [COLOURS.rate, COLOURS.bad])
    expect(svg.match(new RegExp(`<(text|path) [^>]*fill="${colour}"`, 'g'))).toHaveLength(2)
  for (const text of ['statement', 'good', 'bad', '100 ms', '3 s']) expect(svg).toContain(`>${text}</text>`)
})
