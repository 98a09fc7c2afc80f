import type { Pool } from 'pg'
import { DatabaseUnavailable } from '../errors/catalogue.ts'
import { queryReplicated } from '../postgres/replicated.ts'

/**
 * Keeps events whose time is out of range, as they were sent. The same event again is kept once.
 *
 * @param bodies JSON, checked by `parseEvent`, but for their time
 * @throws {DatabaseUnavailable} they may not be kept, or not on synchronous replicas: send them again
 */
export type KeepAside = (tenantId: string, bodies: readonly string[]) => Promise<void>

/** What was kept before writes nothing, and may still lack on synchronous replicas: so it waits for them by itself. */
const TEXT = 'select hopwhistle.keep_events_aside($1, $2), hopwhistle.wait_for_replication()'

export function createKeepAside(db: Pick<Pool, 'connect'>): KeepAside {
  return async (tenantId, bodies) => {
    try {
      await queryReplicated(db, { text: TEXT, values: [tenantId, `[${bodies.join()}]`] })
    } catch (error) {
      throw DatabaseUnavailable(error)
    }
  }
}
