/**
 * Knows whether the standbys that DATABASE_REPLICA_URL leads to follow the primary.
 *
 * A failover and a restore begin a new timeline. A standby that did not follow has what the new primary has lost, and may be
 * further in the log while it has nothing of what that writes: its position says nothing. So each connection is greeted before
 * it is used, and closed when the primary is found to be on a timeline that its standby was not on; the next one is greeted.
 *
 * Without the rights of pg_monitor, a standby says only in its control file where it is, which it writes at its restartpoints.
 * So reports may read the primary until checkpoint_timeout (5 min) after a failover, and a little longer.
 */
import type { Duplex } from 'node:stream'
import type pg from 'pg'
import { type Greeting, greet, type PrimaryServer } from './primary-server.ts'

export type ReplicaServers = {
  /** @throws {Error} it leads to no standby, or to one that does not follow the primary */
  greet(client: pg.PoolClient): Promise<void>
  /** Closes the connections to those that do not follow the primary as it is now. */
  leaveOthers(): void
  /** Forgets the connections that a pool closes. */
  watch(pool: Pick<pg.Pool, 'on'>): void
}

export function createReplicaServers(primary: () => Pick<PrimaryServer, 'isFollowedBy'>): ReplicaServers {
  const greeted = new Map<pg.PoolClient, Greeting>()
  return {
    greet: async (client) => {
      const standby = await greet(client)
      if (!standby.standby) throw new Error('DATABASE_REPLICA_URL leads to a server that is not a replica')
      if (!primary().isFollowedBy(standby)) {
        throw new Error(
          'DATABASE_REPLICA_URL leads to a replica of another primary than DATABASE_URL, or of before a failover',
        )
      }
      greeted.set(client, standby)
    },
    leaveOthers: () => {
      for (const [client, standby] of greeted) if (!primary().isFollowedBy(standby)) streamOf(client).destroy()
    },
    watch: (pool) => void pool.on('remove', (client) => greeted.delete(client as pg.PoolClient)),
  }
}

/** What `pg` has, and its types do not. Nothing else closes a connection that somebody may be using. */
const streamOf = (client: pg.PoolClient) => (client as unknown as { connection: { stream: Duplex } }).connection.stream
