/**
 * A panel as data: what is asked, what good looks like, and from where on it is not good. The linter, the check against
 * a running stack and the pictures of the documentation read the same thing that Grafana is given.
 */
import type { Query } from '../queries/query.ts'
import type { RunbookName } from '../runbook-names.ts'
import type { Threshold } from './thresholds.ts'

/** As Grafana names them, but `cores` and `x`, which it takes as suffixes. */
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
   * figure   the newest value, large, with its recent past behind it
   * bars     the newest values side by side
   * table    one row a label value, one column a query
   */
  readonly kind: 'lines' | 'figure' | 'bars' | 'table'
  readonly title: string
  readonly unit: Unit
  /** What it shows, and what good looks like. */
  readonly description: string
  readonly thresholds: readonly Threshold[]
  readonly queries: readonly Query[]
  /** Where to read on when it does not look good. */
  readonly runbook?: RunbookName
  /** Of 24 columns. */
  readonly width: 4 | 6 | 8 | 12 | 16 | 24
  readonly stacked?: true
  readonly scale?: 'log'
  readonly max?: number
  /** Of a table: the label that names a row, and the unit of each column that differs. */
  readonly rowLabel?: string
  readonly columnUnits?: Readonly<Record<string, Unit>>
  readonly noValue?: string
}

type Rest = Omit<Panel, 'kind' | 'width'> & { readonly width?: Panel['width'] }

export const lines = (rest: Rest): Panel => ({ kind: 'lines', width: 8, ...rest })
export const figure = (rest: Rest): Panel => ({ kind: 'figure', width: 4, ...rest })
export const bars = (rest: Rest): Panel => ({ kind: 'bars', width: 8, ...rest })
export const table = (rest: Rest): Panel => ({ kind: 'table', width: 24, ...rest })
