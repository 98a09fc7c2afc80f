import { RUNBOOKS_UID } from '@hopwhistle/contract/runbooks.ts'
import type { Panel } from '../panels/panel.ts'

export const BOARD_UIDS = {
  overview: 'hopwhistle-overview',
  api: 'hopwhistle-api',
  postgres: 'hopwhistle-postgres',
  redis: 'hopwhistle-redis',
  live: 'hopwhistle-live',
  limits: 'hopwhistle-limits',
  'load-test': 'hopwhistle-load-test',
  runbooks: RUNBOOKS_UID,
} as const
export type BoardName = keyof typeof BOARD_UIDS

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
