import type { Pool } from 'pg'
import { DatabaseUnavailable } from '../errors/catalogue.ts'
import { queryReplicated } from '../postgres/replicated.ts'

/**
 * Keeps events whose time is out of range, as they were sent. The same event again is kept once.
 *
 * @param bodies JSON, checked by `parseEvent`, but for their time
 * @returns the places in `bodies`, from 0, of events that are not kept: another event with the same id was kept before
 * @throws {DatabaseUnavailable} they may not be kept, or not on synchronous replicas: send them again
 */
export type KeepAside = (tenantId: string, bodies: readonly string[]) => Promise<ReadonlySet<number>>

export function createKeepAside(db: Pick<Pool, 'connect'>): KeepAside {
  return async (tenantId, bodies) => {
    try {
      const { rows } = await queryReplicated<{ conflicts: string[] | null }>(db, {
        text: 'call hopwhistle.commit_events_aside($1, $2, null)',
        values: [tenantId, `[${bodies.join()}]`],
      })
      return new Set(rows[0]?.conflicts?.map((place) => Number(place) - 1))
    } catch (error) {
      throw DatabaseUnavailable(error)
    }
  }
}
