/** A chart of a page as data: what browser/charts.ts draws, and the table that says the same without a script. */
import type { Role } from '../chart/theme.ts'
import { type Html, html } from './html.ts'

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

export type PageChart = TimeChart | HeatChart | DistributionChart | PercentileChart

/** @param figures the same as a table, for those without a script, and for those who want the figures */
export function chartFigure(
  chart: PageChart,
  figures: { readonly header: readonly string[]; readonly rows: readonly (readonly (string | number)[])[] },
): Html {
  const { id, title, description } = chart
  return html`<figure id="${id}">
<figcaption><strong>${title}</strong> <span class="quiet">${description}</span></figcaption>
<div class="chart" data-chart="${id}" role="group" tabindex="0" aria-label="${title}: ${description} Arrow keys move the cursor, plus and minus zoom, 0 shows all."></div>
<details><summary>Figures of “${title}”</summary>
<div class="wide" tabindex="0" role="group" aria-label="Figures of ${title}"><table>
<thead><tr>${figures.header.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
<tbody>${figures.rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
</table></div></details>
</figure>
`
}
