import type { Pool, PoolClient } from 'pg'
import { REPLAYED, replayedOf } from './replica-reads.ts'
import type { WalPosition } from './wal-position.ts'

export type ReplicaLink = {
  /** Asks the replica how far it is, connecting first when needed; one question at a time, shared. @returns whether it answered */
  ask(): Promise<boolean>
  /** Has the next question go to another connection, which may lead to another server; once a second at most. */
  move(): void
  close(): void
}

export type ReplicaLinkEvents = {
  /** A new connection: what was known may have been another server, or this one before a restart. */
  opened(): void
  replayed(position: WalPosition): void
  closed(error: Error): void
}

const MOVE_EVERY_MS = 1_000

/**
 * One connection of the replica's pool, kept for asking how far its server is: busy reports cannot keep it waiting,
 * and a replica that restarts closes it at once, so that what was known is forgotten before anyone relies on it.
 */
export function createReplicaLink(pool: Pool, answerTimeoutMs: number, on: ReplicaLinkEvents): ReplicaLink {
  let client: PoolClient | undefined
  let asking: Promise<boolean> | undefined
  let finished = false
  let movedAtMs = Number.NEGATIVE_INFINITY

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
      const query = { ...REPLAYED, query_timeout: answerTimeoutMs }
      const { rows } = await asked.query<{ position: string | null }>(query)
      on.replayed(replayedOf(rows[0]?.position))
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
    move: () => {
      if (client === undefined || asking !== undefined || performance.now() - movedAtMs < MOVE_EVERY_MS) return
      movedAtMs = performance.now()
      client.release(true)
      client = undefined
    },
    close: () => {
      finished = true
      client?.release(true)
      client = undefined
    },
  }
}
