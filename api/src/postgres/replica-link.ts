import type { Pool, PoolClient } from 'pg'
import type { WalPosition } from './wal-position.ts'
import { parseWalPosition } from './wal-position.ts'

export type ReplicaLink = {
  /** Asks the replica how far it is, connecting first when needed; one question at a time, shared. @returns whether it answered */
  ask(): Promise<boolean>
  close(): void
}

export type ReplicaLinkEvents = {
  /** A new connection: what was known may have been another server, or this one before a restart. */
  opened(): void
  replayed(position: WalPosition): void
  closed(error: Error): void
}

/**
 * One connection of the replica's pool, kept for asking how far the replica is: busy reports cannot keep it waiting,
 * and a replica that restarts closes it at once, so that what was known is forgotten before anyone relies on it.
 */
export function createReplicaLink(pool: Pool, answerTimeoutMs: number, on: ReplicaLinkEvents): ReplicaLink {
  let client: PoolClient | undefined
  let asking: Promise<boolean> | undefined
  let finished = false

  function drop(error: Error): void {
    const dropped = client
    client = undefined
    dropped?.release(true)
    if (!finished) on.closed(error)
  }

  function connect(): Promise<PoolClient> {
    return new Promise((resolve, reject) => {
      // By callback: an error that comes in the same packet as the connection would, a promise later, find nobody who
      // drops the connection for it.
      pool.connect((error, fresh) => {
        if (fresh === undefined) return reject(error)
        fresh.on('error', (lost) => {
          if (client === fresh) drop(lost)
        })
        if (finished) {
          fresh.release(true)
          return reject(new Error('the replica is no longer watched'))
        }
        client = fresh
        on.opened()
        return resolve(fresh)
      })
    })
  }

  async function askNow(): Promise<boolean> {
    try {
      const asked = client ?? (await connect())
      const query = { name: 'replayed', text: TEXT, query_timeout: answerTimeoutMs }
      const { rows } = await asked.query<{ position: string | null }>(query)
      const position = parseWalPosition(rows[0]?.position ?? '')
      if (position === undefined) throw new Error('DATABASE_REPLICA_URL leads to a server that is not a replica')
      on.replayed(position)
      return true
    } catch (error) {
      drop(error as Error)
      return false
    }
  }

  return {
    ask: () => {
      asking ??= askNow().finally(() => {
        asking = undefined
      })
      return asking
    },
    close: () => {
      finished = true
      client?.release(true)
      client = undefined
    },
  }
}

/** A server that was promoted still knows what it had replayed, and is no replica any more. */
const TEXT = 'select case when pg_is_in_recovery() then pg_last_wal_replay_lsn()::text end as position'
