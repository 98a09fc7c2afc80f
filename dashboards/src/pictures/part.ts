/** What a panel adds to the picture of its board: texts and rectangles, and plots with axes. */
import type { EChartsOption, Plot } from '@hopwhistle/platform/document/chart/picture.ts'
import { COLOURS } from '@hopwhistle/platform/document/chart/theme.ts'
import type { Level } from '../panels/thresholds.ts'

type Graphic = Extract<NonNullable<EChartsOption['graphic']>, readonly unknown[]>[number]

export type Part = { readonly graphics: readonly Graphic[]; readonly plots: readonly Plot[] }

/** In pixels. */
export type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number }

export const FONT_SIZE = 10

export const LEVEL_COLOURS: Readonly<Record<Level, string>> = {
  good: COLOURS.rate,
  warn: COLOURS.p99,
  bad: COLOURS.bad,
}

export const join = (parts: readonly Part[]): Part => ({
  graphics: parts.flatMap(({ graphics }) => graphics),
  plots: parts.flatMap(({ plots }) => plots),
})

export type TextOptions = {
  readonly size?: number
  readonly weight?: 400 | 600
  readonly colour?: string
  readonly align?: 'left' | 'center' | 'right'
  /** What is longer is cut. */
  readonly width?: number
}

/** @param middle of its height */
export function text(x: number, middle: number, content: string, options: TextOptions = {}): Graphic {
  const { size = FONT_SIZE, weight = 400, colour = COLOURS.quiet, align = 'left', width } = options
  return {
    type: 'text',
    silent: true,
    x,
    y: middle,
    z: 1,
    style: {
      text: content,
      fontSize: size,
      fontFamily: 'inherit',
      fontWeight: weight,
      fill: colour,
      align,
      verticalAlign: 'middle',
      ...(width === undefined ? {} : { width, overflow: 'truncate', ellipsis: '…' }),
    },
  }
}

export const rect = (
  { x, y, width, height }: Box,
  {
    fill,
    stroke,
    r = 0,
    z = 0,
  }: { readonly fill: string; readonly stroke?: string; readonly r?: number; readonly z?: number },
): Graphic => ({
  type: 'rect',
  silent: true,
  z,
  shape: { x, y, width, height, r },
  style: { fill, ...(stroke === undefined ? {} : { stroke }) },
})

export const rule = (x1: number, x2: number, y: number): Graphic => ({
  type: 'line',
  silent: true,
  shape: { x1, x2, y1: y, y2: y },
  style: { stroke: COLOURS.grid },
})
