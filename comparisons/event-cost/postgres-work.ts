/** What Postgres did between two moments, by its own counters. */
import { withClient } from '@hopwhistle/platform/stack/with-client.ts'

export type PostgresWork = {
  /** Statements of clients, without those that functions run. */
  readonly statements: number
  readonly walBytes: number
  /** Tables vacuumed by autovacuum. */
  readonly vacuums: number
}

const COUNTERS = `
  select
    (select coalesce(sum(s.calls), 0) from pg_stat_statements s
      join pg_database d on d.oid = s.dbid
      where d.datname = current_database() and s.toplevel) as statements,
    pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') as "walBytes",
    (select coalesce(sum(autovacuum_count), 0) from pg_stat_user_tables) as vacuums`

/** @param ownerUrl of a superuser @returns a function that gives the work since this call */
export async function startPostgresCounters(ownerUrl: string): Promise<() => Promise<PostgresWork>> {
  const before = await readCounters(ownerUrl)
  return async () => {
    const after = await readCounters(ownerUrl)
    return {
      statements: after.statements - before.statements,
      walBytes: after.walBytes - before.walBytes,
      vacuums: after.vacuums - before.vacuums,
    }
  }
}

const readCounters = (ownerUrl: string): Promise<PostgresWork> =>
  withClient(ownerUrl, async (client) => {
    const { rows } = await client.query<Record<keyof PostgresWork, string>>(COUNTERS)
    const { statements, walBytes, vacuums } = rows[0]!
    return { statements: Number(statements), walBytes: Number(walBytes), vacuums: Number(vacuums) }
  })
