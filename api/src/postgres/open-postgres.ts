/**
 * The connection pools of one API instance, opened and closed together.
 *
 * Ingest, upkeep and reports have pools of their own, so that slow reports never keep a call event waiting:
 *
 *   ingest          3/10 of the pool size  batches of call events
 *   upkeep          1/10                   keys, rollups, outbox, replica monitor
 *   reportsPrimary  2/10                   reports that the replica cannot answer
 *   reportsReplica  3/10                   reports
 *   exports         1/10                   exports, which keep a connection for minutes
 */
import pg from 'pg'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { createPrimaryServer, type PrimaryServer } from './primary-server.ts'
import { createReplicaServers } from './replica-servers.ts'
import { noticeUnreplicated } from './replicated.ts'
import { timePoolWait } from './time-pool-wait.ts'
import { createTokenKeys, createTokens, type Tokens } from './tokens.ts'

export type PostgresSettings = {
  readonly databaseUrl: string
  readonly databaseReplicaUrl?: string | undefined
  /** Connections of all pools together. */
  readonly postgresPool: number
  readonly postgresQueryTimeoutMs: number
  readonly instanceId: string
}

export type Postgres = {
  readonly ingest: pg.Pool
  readonly upkeep: pg.Pool
  readonly reportsPrimary: pg.Pool
  /** Absent when there is no replica; its connections may fail at any time. */
  readonly reportsReplica: pg.Pool | undefined
  /** Of the replica; `reportsPrimary` when there is none. */
  readonly exports: pg.Pool
  /** How many of its connections exports may have. */
  readonly exportsAtOnce: number
  /** How many requests of tenants about their settings may use `upkeep` at once, so that it has a connection for the rest. */
  readonly settingsAtOnce: number
  readonly primary: PrimaryServer
  readonly tokens: Tokens
  /** Connections for reports: to replicas, or to the primary. */
  readonly reportConnections: { readonly replica: number; readonly primary: number }
  /** Connections that are running something right now. */
  connectionsInUse(): number
  /** Waits for what is running, then closes every connection. */
  close(): Promise<void>
}

const CONNECT_TIMEOUT_MS = 5_000
/**
 * After a shorter time a steady load closes connections that its next burst opens again, and waits for: with a minute, three
 * instances at 500 events a second went up and down between 14 and 18 connections to the primary.
 */
const IDLE_TIMEOUT_MS = 600_000
/**
 * A batch takes milliseconds, and is safe to send again. A connection whose other end vanished is known by nothing but its
 * silence, and every batch on it keeps its events waiting until then.
 */
const INGEST_ANSWERS_WITHIN_MS = 10_000
/**
 * A replica repeats the lock of a migration, and lets a transaction that is open there hold that up for half a minute.
 * A report that would queue behind it is read on the primary instead.
 */
const REPLICA_LOCK_TIMEOUT_MS = 500

export function openPostgres(settings: PostgresSettings, log: Log, metrics: Metrics): Postgres {
  const size = poolSizes(settings.postgresPool, settings.databaseReplicaUrl !== undefined)
  const { postgresQueryTimeoutMs: usualMs } = settings
  const replicas = createReplicaServers(() => primary)
  const primary = createPrimaryServer(replicas.leaveOthers)
  const keys = createTokenKeys()
  /** Before a connection's first use: a write is answered with a position, and sealing that needs the keys. */
  const greetPrimary = async (client: pg.PoolClient) => {
    await primary.greet(client)
    if (keys.newest() === undefined) await keys.read(client)
  }
  const greetReplica = async (client: pg.PoolClient) => {
    await replicas.greet(client)
    // Not as a parameter of the connection, which a pooler between would have to know.
    await client.query(`set lock_timeout = ${REPLICA_LOCK_TIMEOUT_MS}`)
  }
  const open = (name: string, url: string, max: number, answersWithinMs = usualMs, hello = greetPrimary): pg.Pool => {
    const pool = new pg.Pool({
      connectionString: url,
      application_name: `hopwhistle-api ${settings.instanceId} ${name}`.slice(0, 63),
      max,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
      statement_timeout: answersWithinMs,
      idle_in_transaction_session_timeout: answersWithinMs,
      // The server's timeout comes first; this one is for a server that no longer answers at all.
      query_timeout: answersWithinMs + 1_000,
      keepAlive: true,
      verify: (client, done) => void hello(client).then(() => done(), done),
    })
    // Unhandled, a connection that breaks would end the process; also one that is taken out of the pool and not asked
    // anything just then, to whose errors the pool does not listen. The pool replaces it, and its next query fails.
    pool.on('connect', (client) =>
      client.on('error', (error) => log.warn({ err: error, pool: name }, 'database connection lost')),
    )
    pool.on('error', () => {})
    timePoolWait(pool, (seconds) => metrics.poolWait.observe({ pool: name }, seconds))
    return pool
  }
  const pools: Record<string, pg.Pool> = {
    ingest: open('ingest', settings.databaseUrl, size.ingest, Math.min(usualMs, INGEST_ANSWERS_WITHIN_MS)),
    upkeep: open('upkeep', settings.databaseUrl, size.upkeep),
    'reports-primary': open('reports-primary', settings.databaseUrl, size.reportsPrimary),
  }
  const { databaseReplicaUrl: replicaUrl } = settings
  if (replicaUrl !== undefined) {
    pools['reports-replica'] = open('reports-replica', replicaUrl, size.reportsReplica, usualMs, greetReplica)
    pools.exports = open('exports', replicaUrl, size.exports, usualMs, greetReplica)
    for (const pool of [pools['reports-replica'], pools.exports]) replicas.watch(pool)
  }
  const { ingest, upkeep, 'reports-primary': reportsPrimary, 'reports-replica': reportsReplica } = pools as PoolsByName
  for (const pool of [ingest, upkeep]) noticeUnreplicated(pool)
  const tokens = createTokens({
    keys,
    primary,
    askPrimary: () => primary.ask(upkeep),
    readKeys: () =>
      keys
        .read(upkeep)
        .catch((error) => (reportsReplica === undefined ? Promise.reject(error) : keys.read(reportsReplica))),
  })
  metrics.beforeScrape(() => {
    for (const [name, pool] of Object.entries(pools)) {
      metrics.poolConnections.set({ pool: name, state: 'idle' }, pool.idleCount)
      metrics.poolConnections.set({ pool: name, state: 'busy' }, pool.totalCount - pool.idleCount)
      metrics.poolWaiting.set({ pool: name }, pool.waitingCount)
    }
  })

  return {
    ingest,
    upkeep,
    reportsPrimary,
    reportsReplica,
    exports: pools.exports ?? reportsPrimary,
    exportsAtOnce: exportsAtOnce(settings.postgresPool),
    settingsAtOnce: Math.max(1, size.upkeep - 1),
    primary,
    tokens,
    reportConnections: { replica: size.reportsReplica, primary: size.reportsPrimary },
    connectionsInUse: () => Object.values(pools).reduce((sum, pool) => sum + pool.totalCount - pool.idleCount, 0),
    close: async () => {
      await Promise.all(Object.values(pools).map((pool) => pool.end()))
    },
  }
}

type PoolsByName = Record<'ingest' | 'upkeep' | 'reports-primary', pg.Pool> & {
  readonly 'reports-replica': pg.Pool | undefined
}

/** How the connections of an instance are shared out; they add up to `total`. */
export function poolSizes(total: number, withReplica: boolean) {
  const ingest = Math.max(1, Math.floor(total * 0.3))
  const upkeep = Math.max(1, Math.floor(total * 0.1))
  const reports = Math.max(withReplica ? 2 : 1, total - ingest - upkeep)
  const reportsPrimary = withReplica ? Math.max(1, Math.floor(reports / 3)) : reports
  // Without a replica they take those of `reportsPrimary`.
  const exports = withReplica ? exportsAtOnce(total) : 0
  return {
    ingest,
    upkeep,
    reportsPrimary,
    reportsReplica: withReplica ? reports - reportsPrimary - exports : 0,
    exports,
  }
}

const exportsAtOnce = (total: number): number => Math.max(1, Math.floor(total * 0.1))
