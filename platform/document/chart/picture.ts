/**
 * A chart as data: what ECharts draws, and what surrounds it. The same picture becomes an SVG file (render-svg.ts) or is
 * shown in a page.
 */
import type {
  EChartsOption,
  LineSeriesOption,
  SeriesOption,
  TitleComponentOption,
  XAXisComponentOption,
  YAXisComponentOption,
} from 'echarts'
import { COLOURS, FONT_SIZE } from './theme.ts'

export type { CustomSeriesOption, EChartsOption } from 'echarts'

export type Picture = {
  /** For those who cannot see it, as is the description. */
  readonly title: string
  readonly description: string
  /** In pixels, as is all that follows. */
  readonly width: number
  readonly height: number
  readonly option: EChartsOption
}

/** Axes of its own at one place of a picture, and what is drawn in them. */
export type Plot = {
  readonly box: {
    readonly left: number
    readonly right?: number
    readonly width?: number
    readonly top: number
    readonly height: number
  }
  readonly x: XAXisComponentOption
  readonly y: YAXisComponentOption
  readonly series: readonly SeriesOption[]
}

/** A card with a title, a line below it, and plots. */
export function pictureOption(
  { width, height }: Pick<Picture, 'width' | 'height'>,
  {
    title,
    subtitle,
    plots,
    headings = [],
  }: {
    readonly title: string
    readonly subtitle: string
    readonly plots: readonly Plot[]
    readonly headings?: readonly TitleComponentOption[]
  },
): EChartsOption {
  return {
    textStyle: { fontFamily: 'inherit', fontSize: FONT_SIZE, color: COLOURS.quiet },
    graphic: [
      {
        type: 'rect',
        z: -1,
        silent: true,
        shape: { x: 0.5, y: 0.5, width: width - 1, height: height - 1, r: 8 },
        style: { fill: COLOURS.card, stroke: COLOURS.edge },
      },
    ],
    title: [
      {
        text: title,
        subtext: subtitle,
        left: 20,
        top: 15,
        padding: 0,
        itemGap: 7,
        textStyle: { fontSize: 15, fontWeight: 600, color: COLOURS.text },
        subtextStyle: { fontSize: FONT_SIZE, color: COLOURS.quiet },
      },
      ...headings,
    ],
    ...plotsOption(plots),
  }
}

export function plotsOption(plots: readonly Plot[]): Pick<EChartsOption, 'grid' | 'xAxis' | 'yAxis' | 'series'> {
  return {
    grid: plots.map(({ box }) => box),
    xAxis: plots.map(({ x }, gridIndex) => ({ ...x, gridIndex })),
    yAxis: plots.map(({ y }, gridIndex) => ({ ...y, gridIndex })),
    series: plots.flatMap(({ series }, i) =>
      series.map((one) => ({ ...one, xAxisIndex: i, yAxisIndex: i }) as SeriesOption),
    ),
  }
}

/** What stands above a plot. */
export const heading = (text: string, left: number, middle: number): TitleComponentOption => ({
  text,
  left,
  top: middle - 6,
  padding: 0,
  textStyle: { fontSize: FONT_SIZE, lineHeight: 12, fontWeight: 600, color: COLOURS.text },
})

const LABEL = { fontSize: FONT_SIZE, color: COLOURS.quiet }

/** From 0 s to the end of a run, in minutes and seconds. */
export function timeAxis(seconds: number, mostTicks: number, isLabelled = true) {
  const ticks = timeTicks(seconds, mostTicks)
  return {
    type: 'value' as const,
    min: 0,
    max: seconds,
    name: isLabelled ? 'time since the start, minutes:seconds' : '',
    nameLocation: 'middle' as const,
    nameGap: 30,
    nameTextStyle: LABEL,
    axisLine: { lineStyle: { color: COLOURS.edge } },
    axisTick: { show: isLabelled, lineStyle: { color: COLOURS.edge }, customValues: ticks },
    axisLabel: { show: isLabelled, ...LABEL, customValues: ticks, formatter: minutesAndSeconds },
    splitLine: { show: false },
  }
}

/** Round steps of seconds and minutes, where a decimal axis would choose 50 s. */
function timeTicks(seconds: number, most: number): number[] {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600]
  const step = steps.find((one) => seconds / one <= most) ?? 7200
  return Array.from({ length: Math.floor(seconds / step + 1e-9) + 1 }, (_, i) => i * step)
}

const minutesAndSeconds = (seconds: number): string =>
  `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`

/** How an axis of figures looks. */
export const valueAxis = (label: (value: number) => string, fontSize = FONT_SIZE) => ({
  axisLine: { show: false },
  axisTick: { show: false },
  axisLabel: { ...LABEL, fontSize, formatter: label },
  splitLine: { lineStyle: { color: COLOURS.grid } },
})

/** From 0 to a round figure above the highest, by at most so many round steps. */
export function roundScale(highest: number, mostSteps: number) {
  const rough = highest / mostSteps
  const power = 10 ** Math.floor(Math.log10(rough))
  const interval = ([1, 2, 5].find((factor) => factor * power >= rough * (1 - 1e-9)) ?? 10) * power
  return { min: 0, max: interval * Math.ceil(highest / interval - 1e-9), interval }
}

/** From the power of ten below the lowest to the one above the highest. */
export const logScale = (lowest: number, highest: number) => ({
  min: 10 ** Math.floor(Math.log10(lowest)),
  max: 10 ** Math.ceil(Math.log10(highest)),
})

/** A line that is interrupted where a value is missing. */
export const line = (
  name: string,
  color: string,
  data: readonly (readonly [x: number, y: number | null])[],
  width = 1.75,
): LineSeriesOption => ({
  type: 'line',
  name,
  data: data as [number, number | null][],
  symbol: 'none',
  itemStyle: { color },
  lineStyle: { color, width, join: 'round', cap: 'round' },
})
