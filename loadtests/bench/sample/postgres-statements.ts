import type { ClientBase } from 'pg'
import type { StatementEvidence } from './server-evidence.ts'

const STATEMENTS_KEPT = 20
const QUERY_LENGTH = 300

/**
 * The platform's statements that took most time since the statistics were set back; what the sampler itself asked is
 * the superuser's, and left out.
 */
export async function topStatements(db: Pick<ClientBase, 'query'>): Promise<readonly StatementEvidence[]> {
  const { rows } = await db.query<Record<string, string> & { query: string; toplevel: boolean }>(
    `select left(regexp_replace(query, '\\s+', ' ', 'g'), ${QUERY_LENGTH}) as query, toplevel, calls, rows,
       total_exec_time, mean_exec_time, max_exec_time, shared_blks_hit, shared_blks_read, shared_blks_dirtied,
       temp_blks_written, wal_bytes
     from pg_stat_statements
     where dbid = (select oid from pg_database where datname = current_database())
       and userid <> (select oid from pg_roles where rolname = current_user)
     order by total_exec_time desc
     limit ${STATEMENTS_KEPT}`,
  )
  const rounded = (value: string | undefined) => Number(Number(value).toPrecision(5))
  return rows.map((row) => ({
    query: row.query,
    toplevel: row.toplevel,
    calls: Number(row.calls),
    rows: Number(row.rows),
    totalMs: rounded(row.total_exec_time),
    meanMs: rounded(row.mean_exec_time),
    maxMs: rounded(row.max_exec_time),
    blocksHit: Number(row.shared_blks_hit),
    blocksRead: Number(row.shared_blks_read),
    blocksDirtied: Number(row.shared_blks_dirtied),
    tempBlocksWritten: Number(row.temp_blks_written),
    walBytes: Number(row.wal_bytes),
  }))
}
