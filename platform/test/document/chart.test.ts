import { expect, test } from 'vitest'
import { heading, line, pictureOption, roundScale, timeAxis, valueAxis } from '../../document/chart/picture.ts'
import { renderSvg } from '../../document/chart/render-svg.ts'
import { COLOURS } from '../../document/chart/theme.ts'

const SIZE = { width: 880, height: 300 }
const plot = {
  box: { left: 64, right: 24, top: 80, height: 160 },
  x: timeAxis(1_200, 8),
  y: { ...valueAxis(String), type: 'value' as const, ...roundScale(57, 4) },
  series: [
    line('p50', COLOURS.p50, [
      [0, 5],
      [600, null],
      [1_200, 57],
    ]),
  ],
}
const picture = {
  ...SIZE,
  title: 'A <title> & more',
  description: 'what it shows',
  option: pictureOption(SIZE, { title: 'A', subtitle: 'b', headings: [heading('c', 20, 67)], plots: [plot] }),
}

test('the same picture has the same bytes, whatever was drawn before', () => {
  const first = renderSvg(picture)
  renderSvg({ ...picture, option: { ...picture.option, title: { text: 'another' } } })
  expect(renderSvg(picture)).toBe(first)
})

test('a file says what it shows, has a size, and nothing that only a page needs', () => {
  const svg = renderSvg(picture)
  expect(svg).toContain('viewBox="0 0 880 300" width="880" height="300" role="img"')
  expect(svg).toContain('<title>A &lt;title&gt; &amp; more</title>')
  expect(svg).toContain('<desc>what it shows</desc>')
  expect(svg).not.toMatch(/class=|ecmeta|zr\d|hover|NaN|undefined|[ML ]-?\d+\.\d\d/)
})

test('every colour has a dark counterpart', () => {
  const svg = renderSvg(picture)
  const used = new Set([...svg.matchAll(/ ((?:fill|stroke)="#[0-9a-f]{3,6}")/g)].map(([, attribute]) => attribute!))
  expect(used.size).toBeGreaterThan(5)
  const dark = svg.slice(svg.indexOf('prefers-color-scheme:dark'), svg.indexOf('</style>'))
  for (const attribute of used) expect(dark).toContain(`[${attribute}]{`)
})

test.each([
  [57, 4, { min: 0, max: 60, interval: 20 }],
  [550, 4, { min: 0, max: 600, interval: 200 }],
  [1, 2, { min: 0, max: 1, interval: 0.5 }],
  [600, 3, { min: 0, max: 600, interval: 200 }],
])('an axis to %d in at most %d steps is round', (highest, steps, scale) => {
  expect(roundScale(highest, steps)).toEqual(scale)
})
