import type { PostgresEvidence, ServerEvidence } from '../sample/server-evidence.ts'
import type { During } from './during.ts'
import type { PostgresFacts } from './facts.ts'
import { known, rounded, statOf } from './stat.ts'

const STATEMENTS_KEPT = 5
const WAITS_KEPT = 12
const QUERY_LENGTH = 120

/** @returns undefined when the primary was not sampled */
export function postgresFacts({ postgres }: ServerEvidence, during: During): PostgresFacts | undefined {
  if (postgres === undefined) return undefined
  const { primary, replica } = postgres
  const { activity, database, wal, checkpoints, replication, settings, connections } = primary
  const maxConnections = Number(settings.max_connections)
  const statements = statementsOf(primary)
  // Those of Postgres itself come and go with what clients do; a session that waits for its client does nothing.
  const waits = activity.waits.filter(
    ({ backend, event }) => backend === 'client backend' && !event.startsWith('Client:'),
  )
  const atWork = waits.reduce((sum, { samples }) => sum + samples, 0)
  return known({
    version: primary.version,
    maxConnections: Number.isFinite(maxConnections) ? maxConnections : undefined,
    connections: statOf(during(connections.total)),
    waitingForLock: statOf(during(connections.waitingForLock)),
    activity: {
      meanActive: activity.looks === 0 ? 0 : rounded(atWork / activity.looks),
      samples: atWork,
      waits: waits.slice(0, WAITS_KEPT).map(({ pool, event, samples }) => ({ pool, event, samples })),
    },
    statements: statements.slice(0, STATEMENTS_KEPT),
    statementMs: totalMs(statements),
    slowestStatementMs: slowest(primary),
    commitsPerSecond: statOf(during(database.commitsPerSecond)),
    cacheHitRatio: cacheHitRatio(primary, during),
    hotRatio: hotRatio(primary),
    walBytesPerSecond: statOf(during(primary.walBytesPerSecond)),
    walSyncs: wal?.syncs,
    walMeanSyncMs: wal === undefined || wal.syncs === 0 ? undefined : rounded(wal.syncMs / wal.syncs),
    checkpoints: checkpoints === undefined ? undefined : checkpoints.timed + checkpoints.requested,
    deadlocks: database.deadlocks,
    sizeBytesAtEnd: database.sizeBytesAtEnd,
    replica:
      replica === undefined
        ? undefined
        : known({
            lagBytes: statOf(during(replication?.lagBytes)),
            lagMs: statOf(during(replication?.replayLagMs)),
            conflicts: replica.database.conflicts,
            cacheHitRatio: cacheHitRatio(replica, during),
            slowestStatementMs: slowest(replica),
            connections: statOf(during(replica.connections.total)),
            statements: statementsOf(replica).slice(0, STATEMENTS_KEPT),
            statementMs: totalMs(statementsOf(replica)),
          }),
    rowsOfRun: postgres.rowsOfRun,
  })
}

/** By total time. A statement inside a procedure is left out: its time is in the call. */
function statementsOf({ statements }: PostgresEvidence): PostgresFacts['statements'] {
  return statements
    .filter(({ toplevel }) => toplevel)
    .map(({ query, calls, totalMs, meanMs, maxMs }) => ({
      query: query.length > QUERY_LENGTH ? `${query.slice(0, QUERY_LENGTH).trimEnd()}…` : query,
      calls,
      totalMs: rounded(totalMs),
      meanMs: rounded(meanMs),
      maxMs: rounded(maxMs),
    }))
}

const totalMs = (statements: PostgresFacts['statements']): number =>
  rounded(statements.reduce((sum, statement) => sum + statement.totalMs, 0))

const slowest = ({ statements }: PostgresEvidence): number | undefined =>
  statements.length === 0 ? undefined : rounded(Math.max(...statements.map(({ maxMs }) => maxMs)))

/** The part of the blocks asked for during the peak that was in shared buffers. */
function cacheHitRatio({ database }: PostgresEvidence, during: During): number | undefined {
  const hit = statOf(during(database.blocksHitPerSecond))?.mean ?? 0
  const read = statOf(during(database.blocksReadPerSecond))?.mean ?? 0
  return hit + read === 0 ? undefined : rounded(hit / (hit + read))
}

/** The part of the updates that needed no index entry of their own. */
function hotRatio({ tables = [] }: PostgresEvidence): number | undefined {
  const updates = tables.reduce((sum, table) => sum + table.updates, 0)
  return updates === 0 ? undefined : rounded(tables.reduce((sum, { hotUpdates }) => sum + hotUpdates, 0) / updates)
}
