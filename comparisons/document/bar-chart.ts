/** The bar chart at the top of the document. */
import {
  type CustomSeriesOption,
  heading,
  type Picture,
  type Plot,
  pictureOption,
} from '@hopwhistle/platform/document/chart/picture.ts'
import { COLOURS, FONT_SIZE } from '@hopwhistle/platform/document/chart/theme.ts'
import { median, range } from '../arithmetic.ts'
import { valueText } from '../render-figures.ts'

export type Bar = { readonly label: string; readonly rounds: readonly number[]; readonly isOurs: boolean }

export type Panel = {
  /** What is measured, and whether more or less is better. */
  readonly title: string
  readonly unit: string
  readonly bars: readonly Bar[]
}

const WIDTH = 880
const ROW = 26
const BAR = 14
const FIRST_PANEL = 66
/** From the title of a panel to its first bar. */
const HEAD = 17
/** Between panels. */
const GAP = 24

export function barChart(title: string, subtitle: string, panels: readonly Panel[]): Picture {
  const tops = panels.map((_, i) =>
    panels.slice(0, i).reduce((top, { bars }) => top + HEAD + bars.length * ROW + GAP, FIRST_PANEL),
  )
  const size = {
    width: WIDTH,
    height: FIRST_PANEL + panels.reduce((sum, { bars }) => sum + HEAD + bars.length * ROW + GAP, 0),
  }
  return {
    ...size,
    title,
    description: `${subtitle}. ${panels.map(describe).join('. ')}.`,
    option: pictureOption(size, {
      title,
      subtitle,
      headings: panels.map((panel, i) => heading(panel.title, 20, (tops[i] ?? 0) + 6)),
      plots: panels.map((panel, i) => plot(panel, (tops[i] ?? 0) + HEAD)),
    }),
  }
}

const describe = ({ title, unit, bars }: Panel): string =>
  `${title}: ${bars.map(({ label, rounds }) => `${label} ${valueText(median(rounds))} ${unit}`).join(', ')}`

function plot({ unit, bars }: Panel, top: number): Plot {
  const weight = (isOurs: boolean) =>
    ({ fontWeight: isOurs ? 600 : 400, color: isOurs ? COLOURS.text : COLOURS.quiet }) as const
  return {
    box: { left: 260, right: 150, top, height: bars.length * ROW },
    x: { type: 'value', show: false, min: 0, max: Math.max(...bars.flatMap(({ rounds }) => rounds)) },
    y: {
      type: 'category',
      inverse: true,
      data: bars.map(({ label, isOurs }) => ({ value: label, textStyle: weight(isOurs) })),
      axisLine: { show: false },
      axisTick: { show: false },
      axisLabel: { fontSize: FONT_SIZE, interval: 0 },
    },
    series: [
      {
        type: 'bar',
        barWidth: BAR,
        barMinHeight: 1.5,
        data: bars.map(({ rounds, isOurs }) => ({
          value: median(rounds),
          itemStyle: { color: isOurs ? COLOURS.p50 : COLOURS.other },
        })),
      },
      ranges(bars, unit, weight),
    ],
  }
}

/** From the lowest to the highest round, and the median in figures. */
function ranges(bars: readonly Bar[], unit: string, weight: (isOurs: boolean) => object): CustomSeriesOption {
  return {
    type: 'custom',
    silent: true,
    z: 3,
    data: bars.map(({ rounds }, i) => [...range(rounds), i]),
    renderItem: ({ dataIndex }, { coord }) => {
      const { rounds, isOurs } = bars[dataIndex] as Bar
      const [least, highest] = range(rounds)
      const [from = 0, y = 0] = coord([least, dataIndex])
      const [to = 0] = coord([highest, dataIndex])
      const { color, fontWeight } = weight(isOurs) as { color: string; fontWeight: number }
      const label = {
        type: 'text' as const,
        x: to + 8,
        y,
        style: {
          text: `${valueText(median(rounds))} ${unit}`,
          fill: color,
          fontSize: FONT_SIZE,
          fontFamily: 'inherit',
          fontWeight,
          verticalAlign: 'middle' as const,
        },
      }
      const line = {
        type: 'line' as const,
        shape: { x1: from, x2: to, y1: y, y2: y },
        style: { stroke: COLOURS.text, lineWidth: 1.25 },
      }
      return { type: 'group', children: rounds.length > 1 ? [line, label] : [label] }
    },
  }
}
