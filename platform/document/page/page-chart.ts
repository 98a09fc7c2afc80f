/** A chart of a page as data: what browser/charts.ts draws, and the table that says the same without a script. */
import type { Role } from '../chart/theme.ts'
import { number } from '../figures.ts'
import { type Html, html } from '../html.ts'
import { dataTable } from './parts.ts'

type Common = {
  /** Unique in the page. */
  readonly id: string
  readonly title: string
  /** What it shows, in a sentence. */
  readonly description: string
}

/** Lines over the seconds of a run. Those of one page share their zoom and their cursor, with the same `group`. */
export type TimeChart = Common & {
  readonly kind: 'time'
  readonly group: string
  readonly unit: string
  readonly seconds: number
  readonly phases: readonly { readonly name: string; readonly fromSeconds: number; readonly toSeconds: number }[]
  readonly log?: boolean
  /** Whether the lines add up to something, and are shown on top of each other. */
  readonly stacked?: boolean
  readonly lines: readonly {
    readonly name: string
    /** One of the theme; undefined: the next one that tells lines apart. */
    readonly colour?: Role
    /** Seconds since the start, and the value; null where there was none. */
    readonly points: readonly (readonly [number, number | null])[]
  }[]
  readonly targets?: readonly { readonly value: number; readonly text: string; readonly colour: Role }[]
}

/** How many of the samples of each window took how long: the darker, the more. */
export type HeatChart = Common & {
  readonly kind: 'heat'
  readonly group: string
  readonly seconds: number
  /** `[from s, to s, above ms, up to ms, samples, part of the window's samples]` */
  readonly cells: readonly (readonly [number, number, number, number, number, number])[]
}

/** How many samples took how long. */
export type DistributionChart = Common & {
  readonly kind: 'distribution'
  readonly series: readonly {
    readonly name: string
    readonly colour?: Role
    /** `[above ms, up to ms, samples]` */
    readonly bars: readonly (readonly [number, number, number])[]
  }[]
}

/** The latency of each percentile, up to those that few samples are above. */
export type PercentileChart = Common & {
  readonly kind: 'percentiles'
  readonly series: readonly {
    readonly name: string
    readonly colour?: Role
    /** `[percentile, ms]`, ascending. */
    readonly points: readonly (readonly [number, number])[]
  }[]
  readonly targets?: readonly { readonly percentile: number; readonly ms: number }[]
}

/** Values over something else than time, such as rounds or instances. Those with the same `group` share their cursor. */
export type XyChart = Common & {
  readonly kind: 'xy'
  readonly group?: string
  readonly x: { readonly name: string; readonly min: number; readonly max: number; readonly whole?: boolean }
  readonly unit: string
  readonly log?: boolean
  readonly series: readonly {
    readonly name: string
    /** One of the theme; undefined: the next one that tells series apart. */
    readonly colour?: Role
    readonly mark: 'line' | 'dashes' | 'dots' | 'circles'
    /** Ascending. */
    readonly points: readonly (readonly [number, number | null])[]
  }[]
  readonly targets?: TimeChart['targets']
}

/** Where each of several values may lie, next to the range in which that does not matter. */
export type IntervalChart = Common & {
  readonly kind: 'intervals'
  readonly unit: string
  /** What lies beyond is drawn at the edge. */
  readonly min: number
  readonly max: number
  /** From minus this to plus this. */
  readonly margin: number
  /** What the legend calls the intervals and the points. */
  readonly names: { readonly interval: string; readonly points: string }
  readonly rows: readonly {
    readonly name: string
    /** What it came to, in words. */
    readonly answer: string
    readonly colour: Role
    readonly value: number | null
    /** null: without an end on that side. */
    readonly low: number | null
    readonly high: number | null
    readonly points: readonly number[]
  }[]
}

export type PageChart = TimeChart | HeatChart | DistributionChart | PercentileChart | XyChart | IntervalChart

/** A chart, and how it stands in the page. */
export type Drawn = { readonly chart: PageChart; readonly figure: Html }

/** A row of figures as text. */
export const shown = (row: readonly (number | null)[]): string[] =>
  row.map((value) => (value === null ? '–' : number(value, Number.isInteger(value) ? 0 : value < 10 ? 2 : 1)))

/** Pixels of a row of intervals, and of what is above and below all of them. */
const ROW = { each: 38, others: 96 }

const KEYS = 'Arrow keys move the cursor, plus and minus zoom, 0 shows all.'

/** @param figures the same as a table, for those without a script, and for those who want the figures */
export function chartFigure(
  chart: PageChart,
  figures: { readonly header: readonly string[]; readonly rows: readonly (readonly (string | number)[])[] },
): Html {
  const { id, title, description } = chart
  const [style, keys] =
    chart.kind === 'intervals'
      ? [html` style="height:${ROW.others + ROW.each * chart.rows.length}px"`, 'Arrow keys move from row to row.']
      : [undefined, KEYS]
  return html`<figure id="${id}">
<figcaption><strong>${title}</strong> <span class="quiet">${description}</span></figcaption>
<div class="chart"${style} data-chart="${id}" role="group" tabindex="0" aria-label="${title}: ${description} ${keys}"></div>
<details><summary>Figures of “${title}”</summary>
${dataTable(`Figures of ${title}`, figures.header, figures.rows)}</details>
</figure>
`
}

/** The same, as one. */
export const draw = (chart: PageChart, figures: Parameters<typeof chartFigure>[1]): Drawn => ({
  chart,
  figure: chartFigure(chart, figures),
})
