/** What a webhook says of an event. */
import { hash } from 'node:crypto'
import { CALL_DIRECTIONS, CALL_STATES } from '@hopwhistle/contract/calls.ts'
import { LIVE_TYPES } from '@hopwhistle/contract/live.ts'

/** Where an event is in what its tenant has sent: by the batch that it was committed with, and its place in it. */
export type Offset = { readonly batch: number; readonly place: number }

/** As it comes from the database. */
export type EventRow = {
  readonly event_id: string
  readonly call_id: string
  readonly state: number
  readonly occurred_at: Date
  readonly received_at: Date
  readonly outcome: number
  readonly direction: number | null
  readonly from_number: string | null
  readonly to_number: string | null
  readonly corrects: true | null
  /** An object as text; null of an event without. */
  readonly labels: string | null
  /** As text: numbers in it stay as they were written. */
  readonly metadata: string | null
}

/** All that is sent besides the offset, which is sealed when it is sent. */
export type Content = { readonly type: string; readonly timestamp: string; readonly data: string }

export const typeOfState = (state: number): string => LIVE_TYPES[state] ?? 'call.unknown'

export function contentOf(row: EventRow, sequence: number | null): Content {
  const timestamp = row.occurred_at.toISOString()
  const fields = {
    eventId: row.event_id,
    callId: row.call_id,
    sequence,
    state: CALL_STATES[row.state],
    occurredAt: timestamp,
    receivedAt: row.received_at.toISOString(),
    outcome: row.outcome === 0 ? 'applied' : 'late',
    corrects: row.corrects ?? undefined,
    direction: row.direction === null ? undefined : CALL_DIRECTIONS[row.direction],
    from: row.from_number ?? undefined,
    to: row.to_number ?? undefined,
  }
  const labels = row.labels === null ? '' : `,"labels":${row.labels}`
  const metadata = row.metadata === null ? '' : `,"metadata":${row.metadata}`
  return {
    type: typeOfState(row.state),
    timestamp,
    data: `${JSON.stringify(fields).slice(0, -1)}${labels}${metadata}}`,
  }
}

export const bodyOf = ({ type, timestamp, data }: Content, offset: string): string =>
  `{"type":"${type}","timestamp":"${timestamp}","offset":"${offset}","data":${data}}`

/** One for each event and webhook, and the same whenever it is sent. An event id may have characters that no header has. */
export const messageId = (webhookId: string, eventId: string): string =>
  `msg_${hash('sha256', `${webhookId} ${eventId}`, 'buffer').subarray(0, 18).toString('base64url')}`

const OFFSET_BYTES = 12
export const offsetPurpose = (tenantId: string): string => JSON.stringify(['webhook offset', 1, tenantId])

export function packOffset({ batch, place }: Offset): Buffer {
  const packed = Buffer.alloc(OFFSET_BYTES)
  packed.writeBigInt64BE(BigInt(batch))
  packed.writeInt32BE(place, 8)
  return packed
}

export const unpackOffset = (packed: Buffer): Offset => ({
  batch: Number(packed.readBigInt64BE()),
  place: packed.readInt32BE(8),
})
