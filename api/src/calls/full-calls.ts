import type { Pool } from 'pg'
import { plainArray, textArray } from './array-literal.ts'
import type { ReceivedEvent } from './commit-batch.ts'

/** A statement went beyond the most events that a call may have: nothing of it was stored. */
export const isCallFull = (error: unknown): boolean => (error as { readonly code?: unknown } | null)?.code === 'HW001'

/** @returns those events that are not stored and for which their calls have no room */
export async function pastFullCalls<E extends ReceivedEvent>(
  db: Pick<Pool, 'query'>,
  batch: readonly E[],
): Promise<ReadonlySet<E>> {
  const tenants = new Set(batch.map(({ tenantId }) => tenantId))
  const { rows } = await db.query<{ places: readonly number[] }>({
    name: 'events_past_full_calls',
    text: 'select hopwhistle.events_past_full_calls($1, $2, $3, $4) as places',
    values: [
      `{${[...tenants].join(',')}}`,
      plainArray(batch, (r) => r.tenantId),
      textArray(batch, (r) => r.event.eventId),
      textArray(batch, (r) => r.event.callId),
    ],
  })
  return new Set(rows[0]?.places.map((place) => batch[place - 1] as E))
}
