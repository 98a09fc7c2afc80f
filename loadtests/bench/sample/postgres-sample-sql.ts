/** What is asked of Postgres with every sample: one row, a column a figure. */
export type PostgresRole = 'primary' | 'replica'

/** Columns that are what they are at that moment. */
export const GAUGES = [
  'connections',
  'active',
  'idle',
  'idle_in_transaction',
  'waiting_for_lock',
  'replicas',
  'lag_bytes',
  'replay_lag_ms',
]
/** Columns that only grow. */
export const TOTALS = [
  'commits',
  'rollbacks',
  'rows_read',
  'rows_written',
  'blocks_read',
  'blocks_hit',
  'temp_bytes',
  'deadlocks',
  'conflicts',
  'wal_bytes',
]

const SESSIONS = `
  select count(*) as connections,
    count(*) filter (where state = 'active') as active,
    count(*) filter (where state = 'idle') as idle,
    count(*) filter (where state like 'idle in transaction%') as idle_in_transaction,
    count(*) filter (where wait_event_type = 'Lock') as waiting_for_lock
  from pg_stat_activity
  where backend_type = 'client backend' and pid <> pg_backend_pid()`

const DATABASE = `
  select xact_commit as commits, xact_rollback as rollbacks,
    tup_returned as rows_read, tup_inserted + tup_updated + tup_deleted as rows_written,
    blks_read as blocks_read, blks_hit as blocks_hit, temp_bytes, deadlocks, conflicts
  from pg_stat_database where datname = current_database()`

export const SAMPLE: Readonly<Record<PostgresRole, string>> = {
  primary: `
    select *, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') as wal_bytes
    from (${SESSIONS}) as sessions, (${DATABASE}) as database, (
      select count(*) as replicas,
        greatest(0, max(pg_wal_lsn_diff(pg_current_wal_flush_lsn(), replay_lsn))) as lag_bytes,
        round(extract(epoch from coalesce(max(replay_lag), '0')) * 1000, 1) as replay_lag_ms
      from pg_stat_replication where state = 'streaming') as replication`,
  replica: `
    select *, pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0') as wal_bytes
    from (${SESSIONS}) as sessions, (${DATABASE}) as database`,
}
