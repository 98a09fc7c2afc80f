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

export function createKeepAside(db: Pick<Pool, 'connect'>): KeepAside {
  return async (tenantId, bodies) => {
    try {
      await queryReplicated(db, {
        text: 'call hopwhistle.commit_events_aside($1, $2)',
        values: [tenantId, `[${bodies.join()}]`],
      })
    } catch (error) {
      throw DatabaseUnavailable(error)
    }
  }
}
