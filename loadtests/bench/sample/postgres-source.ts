import pg from 'pg'
import { activityTally } from './postgres-activity.ts'
import { difference, readTotals, type Totals } from './postgres-totals.ts'
import type { PostgresEvidence, StatementEvidence } from './server-evidence.ts'
import type { Source } from './source.ts'

export type PostgresRole = 'primary' | 'replica'

const ANSWER_WITHIN_MS = 1_500
const ACTIVITY_EVERY_MS = 250
const STATEMENTS_KEPT = 20
const QUERY_LENGTH = 300

const SETTINGS = [
  'max_connections',
  'shared_buffers',
  'effective_cache_size',
  'work_mem',
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'wal_level',
  'max_wal_size',
  'checkpoint_timeout',
  'io_method',
]

/** Watches one Postgres server over a single connection, which it leaves out of what it reports. */
export function postgresSource(role: PostgresRole, url: string): Source<PostgresEvidence> {
  let client: pg.Client | undefined
  let atStart: Totals | undefined
  let looking: NodeJS.Timeout | undefined
  const activity = activityTally()

  const connect = async (): Promise<pg.Client> => {
    if (client !== undefined) return client
    const opened = new pg.Client({
      connectionString: url,
      application_name: 'hopwhistle-bench',
      connectionTimeoutMillis: ANSWER_WITHIN_MS,
      query_timeout: ANSWER_WITHIN_MS,
    })
    opened.on('error', () => {
      client = undefined
    })
    await opened.connect()
    client = opened
    return opened
  }
  const look = async () => {
    try {
      await activity.look(await connect())
    } catch {
      // The samples say that it did not answer.
    }
  }

  return {
    async begin() {
      const db = await connect()
      await db.query(
        'select pg_stat_statements_reset(0, (select oid from pg_database where datname = current_database()), 0)',
      )
      atStart = await readTotals(db, role)
      looking = setInterval(() => void look(), ACTIVITY_EVERY_MS)
    },
    async sample(recorder) {
      const row = await connect()
        .then((db) => db.query<Record<string, string>>({ name: `sample-${role}`, text: SAMPLE[role] }))
        .then(
          ({ rows }) => rows[0],
          () => undefined,
        )
      for (const name of GAUGES) recorder.gauge(name, number(row?.[name]))
      for (const name of TOTALS) recorder.growth(name, number(row?.[name]))
    },
    async end(recorder) {
      clearInterval(looking)
      if (atStart === undefined) return undefined
      const db = await connect()
      const totals = difference(await readTotals(db, role), atStart)
      const { rows: settings } = await db.query<{ name: string; setting: string }>(
        'select name, current_setting(name) as setting from pg_settings where name = any($1) order by name',
        [SETTINGS],
      )
      const version = await db.query<{ v: string }>("select current_setting('server_version') as v")
      return {
        version: version.rows[0]?.v.split(' ')[0] ?? 'unknown',
        settings: Object.fromEntries(settings.map(({ name, setting }) => [name, setting])),
        connections: {
          total: recorder.series('connections'),
          active: recorder.series('active'),
          idle: recorder.series('idle'),
          idleInTransaction: recorder.series('idle_in_transaction'),
          waitingForLock: recorder.series('waiting_for_lock'),
        },
        activity: activity.result(),
        statements: await topStatements(db),
        database: {
          commitsPerSecond: recorder.series('commits'),
          rollbacksPerSecond: recorder.series('rollbacks'),
          rowsReadPerSecond: recorder.series('rows_read'),
          rowsWrittenPerSecond: recorder.series('rows_written'),
          blocksReadPerSecond: recorder.series('blocks_read'),
          blocksHitPerSecond: recorder.series('blocks_hit'),
          tempBytesPerSecond: recorder.series('temp_bytes'),
          deadlocks: recorder.grown('deadlocks'),
          conflicts: recorder.grown('conflicts'),
          sizeBytesAtStart: totals.sizeBytesAtStart,
          sizeBytesAtEnd: totals.sizeBytesAtEnd,
        },
        walBytesPerSecond: recorder.series('wal_bytes'),
        ...(role === 'primary' ? { wal: totals.wal, checkpoints: totals.checkpoints } : {}),
        ...(totals.io === undefined ? {} : { io: totals.io }),
        ...(role === 'primary'
          ? {
              replication: {
                replicas: recorder.series('replicas'),
                lagBytes: recorder.series('lag_bytes'),
                replayLagMs: recorder.series('replay_lag_ms'),
              },
            }
          : {}),
      }
    },
    async close() {
      clearInterval(looking)
      await client?.end().catch(() => {})
    },
  }
}

const GAUGES = [
  'connections',
  'active',
  'idle',
  'idle_in_transaction',
  'waiting_for_lock',
  'replicas',
  'lag_bytes',
  'replay_lag_ms',
]
const TOTALS = [
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

const SAMPLE: Readonly<Record<PostgresRole, string>> = {
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

function number(value: string | null | undefined): number | null {
  return value === undefined || value === null ? null : Number(value)
}

/** Those of the platform: what this very connection asked is the superuser's. */
async function topStatements(db: pg.Client): Promise<readonly StatementEvidence[]> {
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
