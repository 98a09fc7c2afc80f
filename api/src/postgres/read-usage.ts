import type { Pool } from 'pg'

/** What all clients of the server use together. */
export type PostgresUsage = { readonly connections: number; readonly oldestQueryMs: number }

/** @throws when the server does not answer */
export async function readPostgresUsage(pool: Pick<Pool, 'query'>): Promise<PostgresUsage> {
  // Any role sees the connections of all roles, but only its own queries: all of ours have one role.
  const { rows } = await pool.query<{ connections: number; oldest_query_ms: number }>({
    name: 'read-usage',
    text: `
      select
        (select coalesce(sum(numbackends), 0)::integer from pg_catalog.pg_stat_database) as connections,
        (select coalesce(max(extract(epoch from clock_timestamp() - query_start) * 1000), 0)::double precision
         from pg_catalog.pg_stat_activity
         where state = 'active' and usename = current_user and pid <> pg_backend_pid()) as oldest_query_ms`,
  })
  return { connections: rows[0]?.connections ?? 0, oldestQueryMs: rows[0]?.oldest_query_ms ?? 0 }
}
