/**
 * A panel as data: its queries, what a good value is, and its thresholds. Grafana, the linter, the check against a running
 * stack and the pictures of the documentation all use the same data.
 */
import type { Query } from '../queries/query.ts'
import type { RunbookName } from '../runbook-names.ts'
import type { Threshold } from './thresholds.ts'

/** Units as Grafana names them; `cores` and `x` become suffixes. */
export type Unit =
  | 'none'
  | 'dateTimeFromNow'
  | 'percentunit'
  | 's'
  | 'ms'
  | 'bytes'
  | 'Bps'
  | 'reqps'
  | 'eps'
  | 'mps'
  | 'ops'
  | 'cores'
  | 'x'

export type Panel = {
  /**
   * lines    over time
   * figure   the newest value, large, with a small chart of recent values
   * bars     the newest values side by side
   * table    a row for each label value, a column for each query
   */
  readonly kind: 'lines' | 'figure' | 'bars' | 'table'
  readonly title: string
  readonly unit: Unit
  /** What it shows, and what a good value is. */
  readonly description: string
  readonly thresholds: readonly Threshold[]
  readonly queries: readonly Query[]
  /** The runbook for bad values. */
  readonly runbook?: RunbookName
  /** In 24ths of the board's width. */
  readonly width: 4 | 6 | 8 | 12 | 16 | 24
  readonly stacked?: true
  readonly scale?: 'log'
  readonly max?: number
  /** Only for a table: the label that names a row, and the unit of each column whose unit differs. */
  readonly rowLabel?: string
  readonly columnUnits?: Readonly<Record<string, Unit>>
  readonly noValue?: string
}

type Rest = Omit<Panel, 'kind' | 'width'> & { readonly width?: Panel['width'] }

export const lines = (rest: Rest): Panel => ({ kind: 'lines', width: 8, ...rest })
export const figure = (rest: Rest): Panel => ({ kind: 'figure', width: 4, ...rest })
export const bars = (rest: Rest): Panel => ({ kind: 'bars', width: 8, ...rest })
export const table = (rest: Rest): Panel => ({ kind: 'table', width: 24, ...rest })
