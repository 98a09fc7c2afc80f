import type { BoardName } from '../board-names.ts'
import type { Panel } from '../panels/panel.ts'

/** A dashboard as data; `name` is its file in ../../grafana. */
export type Board = {
  readonly name: BoardName
  readonly title: string
  readonly description: string
  readonly rows: readonly BoardRow[]
  /** Offers the variables `run` and `scenario`. */
  readonly choosesRun?: true
}

export type BoardRow = { readonly title: string; readonly panels: readonly Panel[] }
