/**
 * Reads any number of statements as of one moment: in a transaction whose snapshot is the one of its first statement.
 *
 *   connect ─▶ how far is the server? ─▶ begin, repeatable read ─▶ statements … ─▶ rollback, the connection goes back
 *                                                  │
 *                                                  └─ any error ─▶ the connection is closed
 *
 * The position is asked for before there is a snapshot, so that the snapshot has all that it says.
 *
 * It reads a replica where there is one, because a long snapshot costs the primary work. Even so, with hot_standby_feedback the
 * primary keeps the rows that the snapshot sees, so the caller must limit its time. For other conflicts, such as the lock of a
 * migration, the replica waits for max_standby_streaming_delay. Then it ends the transaction, and the next statement fails.
 */
import type pg from 'pg'
import { DatabaseUnavailable, ExportUnavailable } from '../errors/catalogue.ts'
import type { Postgres } from './open-postgres.ts'
import { NotPrimary } from './primary-server.ts'
import type { ReadFrom, ReplicaMonitor } from './replica-monitor.ts'
import { REPLAYED, ReplicaLate, replayedOf } from './replica-reads.ts'
import type { WalPosition } from './wal-position.ts'

export type Snapshot = {
  readonly from: ReadFrom
  /** One statement at a time. @throws what `pg` throws; the snapshot is gone then */
  read<Row extends pg.QueryResultRow>(query: pg.QueryConfig): Promise<readonly Row[]>
  /** Once no statement runs. Never rejects. */
  close(): Promise<void>
}

/** @throws {ExportUnavailable | DatabaseUnavailable} there is none that shows `position` */
export type OpenSnapshot = (position: WalPosition | undefined) => Promise<Snapshot>

const ANSWER_TIMEOUT_MS = 2_000

/** @param idleMs the server ends a snapshot that nobody reads from for so long: its reader is gone */
export function createSnapshots(deps: {
  readonly postgres: Pick<Postgres, 'exports' | 'reportsReplica' | 'primary'>
  readonly replica: Pick<ReplicaMonitor, 'choose' | 'shownBy'>
  readonly idleMs: number
}): OpenSnapshot {
  const { postgres, replica, idleMs } = deps
  const hasReplica = postgres.reportsReplica !== undefined

  async function readFrom(client: pg.PoolClient, position: WalPosition | undefined): Promise<ReadFrom> {
    if (!hasReplica) {
      if (postgres.primary.isStandby()) throw new NotPrimary()
      return { source: 'primary', asOf: new Date(), position: undefined }
    }
    const query = { ...REPLAYED, query_timeout: ANSWER_TIMEOUT_MS }
    const { rows } = await client.query<{ position: string | null }>(query)
    return replica.shownBy(replayedOf(rows[0]?.position), position)
  }

  async function begin(client: pg.PoolClient, position: WalPosition | undefined): Promise<ReadFrom> {
    const from = await readFrom(client, position)
    await client.query('begin isolation level repeatable read read only')
    await client.query(`set local idle_in_transaction_session_timeout = ${idleMs}`)
    return from
  }

  async function connect(): Promise<pg.PoolClient> {
    try {
      return await postgres.exports.connect()
    } catch (error) {
      throw hasReplica ? ExportUnavailable(error) : DatabaseUnavailable(error)
    }
  }

  return async (position) => {
    // It waits for a replica that is about to have the position.
    if (hasReplica && (await replica.choose(position)).source !== 'replica') throw ExportUnavailable()
    const client = await connect()
    let isBroken = false
    let isClosed = false
    const close = async () => {
      if (isClosed) return
      isClosed = true
      if (!isBroken) await client.query('rollback').catch(fail)
      client.release(isBroken)
    }
    function fail(): void {
      isBroken = true
    }
    try {
      const from = await begin(client, position)
      return {
        from,
        read: async <Row extends pg.QueryResultRow>(query: pg.QueryConfig) => {
          try {
            const { rows } = await client.query<Row>(query)
            return rows
          } catch (error) {
            fail()
            throw error
          }
        },
        close,
      }
    } catch (error) {
      // Another snapshot may find it far enough.
      if (!(error instanceof ReplicaLate) || error.leave) fail()
      await close()
      throw hasReplica ? ExportUnavailable(error) : DatabaseUnavailable(error)
    }
  }
}
