import type { LiveType } from '@hopwhistle/contract/live.ts'
import type { LiveBatch } from '../../../src/live/live.ts'
import { TENANT } from './instance.ts'

let batches = 0
let events = 0

/** A batch with one message of each type given. */
export function batchOf(types: readonly LiveType[], tenantId = TENANT): LiveBatch {
  batches += 1
  return {
    batchId: String(batches),
    tenantId,
    messages: types.map((type) => {
      events += 1
      const at = Date.now()
      return {
        type,
        eventId: `e${events}`,
        callId: `c${events}`,
        sequence: 1,
        occurredAt: at - 5,
        receivedAt: at,
        outcome: 'applied',
      }
    }),
  }
}

export const ringing = (count = 1, tenantId = TENANT) =>
  batchOf(
    Array.from({ length: count }, () => 'call.ringing' as const),
    tenantId,
  )

export const idsOf = (batch: LiveBatch) => batch.messages.map((message) => message.eventId)
