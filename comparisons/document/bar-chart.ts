/** The bar chart at the top of the document. */
import { STYLE } from '@hopwhistle/platform/document/chart/style.ts'
import { element, escapeXml, line, text } from '@hopwhistle/platform/document/chart/svg.ts'
import { median, range } from '../measure/arithmetic.ts'
import { valueText } from '../render-figures.ts'

export type Bar = { readonly label: string; readonly rounds: readonly number[]; readonly isOurs: boolean }

export type Panel = {
  /** What is measured, and whether more or less is better. */
  readonly title: string
  readonly unit: string
  readonly bars: readonly Bar[]
}

const WIDTH = 880
const LEFT = 260
const RIGHT = WIDTH - 150
const ROW = 26
const BAR = 14
const FIRST_PANEL = 76
/** Height of a panel without its bars. */
const HEAD = 42

const BARS =
  '.bar{fill:#afb8c1}.bar.ours{fill:#0969da}.span{stroke:#1f2328;stroke-width:1.25}' +
  '@media (prefers-color-scheme:dark){.bar{fill:#484f58}.bar.ours{fill:#58a6ff}.span{stroke:#f0f6fc}}'

/** @returns a whole SVG document; the same input gives the same bytes */
export function renderBarChart(title: string, subtitle: string, panels: readonly Panel[]): string {
  let top = FIRST_PANEL
  const drawn = panels.map((panel) => {
    const part = drawPanel(panel, top)
    top += HEAD + panel.bars.length * ROW
    return part
  })
  const height = top + 4
  const parts = [
    element('title', {}, escapeXml(title)),
    element('desc', {}, escapeXml(`${subtitle}. ${panels.map(describe).join('. ')}.`)),
    element('style', {}, STYLE + BARS),
    element('rect', { x: 0.5, y: 0.5, width: WIDTH - 1, height: height - 1, rx: 8, class: 'card' }),
    text(20, 30, title, { class: 'title' }),
    text(20, 49, subtitle),
    ...drawn,
  ]
  const root = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${WIDTH} ${height}`,
    width: WIDTH,
    height,
    role: 'img',
  }
  return `${element('svg', root, `\n${parts.join('\n')}\n`)}\n`
}

const describe = ({ title, unit, bars }: Panel): string =>
  `${title}: ${bars.map(({ label, rounds }) => `${label} ${valueText(median(rounds))} ${unit}`).join(', ')}`

function drawPanel({ title, unit, bars }: Panel, top: number): string {
  const most = Math.max(...bars.flatMap(({ rounds }) => rounds))
  const x = (value: number) => LEFT + ((RIGHT - LEFT) * value) / most
  const rows = bars.map(({ label, rounds, isOurs }, i) => {
    const y = top + 14 + i * ROW
    const middle = y + BAR / 2
    const value = median(rounds)
    const [least, highest] = range(rounds)
    const strong = isOurs ? { class: 'strong' } : {}
    return [
      text(LEFT - 10, middle + 4, label, { 'text-anchor': 'end', ...strong }),
      element('rect', {
        x: LEFT,
        y,
        width: Math.max(1.5, x(value) - LEFT),
        height: BAR,
        rx: 2,
        class: isOurs ? 'bar ours' : 'bar',
      }),
      rounds.length > 1 ? line(x(least), middle, x(highest), middle, 'span') : '',
      text(Math.max(x(value), x(highest)) + 8, middle + 4, `${valueText(value)} ${unit}`, strong),
    ].join('')
  })
  return text(20, top, title, { class: 'strong' }) + rows.join('')
}
