import { RUNBOOKS_UID } from '@hopwhistle/contract/runbooks.ts'

/** The uid of each board in Grafana. */
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
