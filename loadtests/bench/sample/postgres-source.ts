import pg from 'pg'
import { activityTally } from './postgres-activity.ts'
import { GAUGES, type PostgresRole, SAMPLE, TOTALS } from './postgres-sample-sql.ts'
import { topStatements } from './postgres-statements.ts'
import { difference, readTotals, type Totals } from './postgres-totals.ts'
import type { PostgresEvidence } from './server-evidence.ts'
import type { Source } from './source.ts'

const ANSWER_WITHIN_MS = 1_500
const ACTIVITY_EVERY_MS = 250

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
  // One query at a time: a look that finds the connection busy is left out, a sample waits for it.
  let busy: Promise<unknown> | undefined
  const alone = async <T>(work: (db: pg.Client) => Promise<T>): Promise<T> => {
    while (busy !== undefined) await busy.catch(() => {})
    const working = connect().then(work)
    busy = working
    return working.finally(() => {
      busy = undefined
    })
  }
  const look = () => {
    // The samples say that it did not answer.
    if (busy === undefined) alone((db) => activity.look(db)).catch(() => {})
  }

  return {
    async begin() {
      atStart = await alone(async (db) => {
        await db.query(
          'select pg_stat_statements_reset(0, (select oid from pg_database where datname = current_database()), 0)',
        )
        return readTotals(db, role)
      })
      looking = setInterval(look, ACTIVITY_EVERY_MS)
    },
    async sample(recorder) {
      const row = await alone((db) =>
        db.query<Record<string, string>>({ name: `sample-${role}`, text: SAMPLE[role] }),
      ).then(
        ({ rows }) => rows[0],
        () => undefined,
      )
      for (const name of GAUGES) recorder.gauge(name, number(row?.[name]))
      for (const name of TOTALS) recorder.growth(name, number(row?.[name]))
    },
    async end(recorder) {
      clearInterval(looking)
      await busy?.catch(() => {})
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
        ...(totals.io === undefined ? {} : { io: totals.io }),
        ...(role === 'primary'
          ? {
              wal: totals.wal,
              checkpoints: totals.checkpoints,
              tables: totals.tables,
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

function number(value: string | null | undefined): number | null {
  return value === undefined || value === null ? null : Number(value)
}
