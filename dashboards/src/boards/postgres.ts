import type { Board } from './board.ts'
import { backups } from './postgres/backups.ts'
import { connections } from './postgres/connections.ts'
import { replication } from './postgres/replication.ts'
import { statements } from './postgres/statements.ts'
import { work } from './postgres/work.ts'

export const postgres: Board = {
  name: 'postgres',
  title: 'Hopwhistle: Postgres',
  description: 'The primary and its replica: pools, statements, locks, lag, slots and backups.',
  rows: [replication, connections, statements, work, backups],
}
