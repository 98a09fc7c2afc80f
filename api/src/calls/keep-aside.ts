import type { Pool } from 'pg'
import { DatabaseUnavailable } from '../errors/catalogue.ts'

/**
 * Keeps events whose time is out of range, as they were sent. The same event again is kept once.
 *
 * @param bodies JSON, checked by `parseEvent`, but for their time
 * @throws {DatabaseUnavailable} send them again
 */
export type KeepAside = (tenantId: string, bodies: readonly string[]) => Promise<void>

export function createKeepAside(db: Pick<Pool, 'query'>): KeepAside {
  return async (tenantId, bodies) => {
    try {
      await db.query('select hopwhistle.keep_events_aside($1, $2)', [tenantId, `[${bodies.join()}]`])
    } catch (error) {
      throw DatabaseUnavailable(error)
    }
  }
}
