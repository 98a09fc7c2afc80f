import { CALL_STATES } from '@hopwhistle/contract/calls.ts'
import { asTenant } from './as-tenant.ts'
import type { CallRow } from './call-json.ts'
import { CALL_COLUMNS, callFields, directionJson, textJson, timeJson } from './call-json.ts'
import type { ReportStatement } from './read-report.ts'

/** One row an event, each with the whole call beside it: a call has a handful of events. */
export type TimelineRow = CallRow & {
  readonly event_id: string | null
  readonly event_state: string
  readonly event_outcome: string
  readonly event_occurred_at: string
  readonly event_received_at: string
  readonly event_direction: string | null
  readonly event_from: string | null
  readonly event_to: string | null
  readonly event_corrects: string | null
  readonly event_metadata: string | null
}

/**
 * A call and its events, from one snapshot, in the order they occurred; what occurred at the same time, by how far
 * it takes a call, and then as it arrived.
 *
 * Plan: calls_pkey, and call_events_call in each of the eight partitions.
 */
const TEXT = asTenant(
  `${CALL_COLUMNS},
  event_id, event_state, event_outcome, event_direction, event_from, event_to, event_corrects,
  event_metadata,
  event_occurred_at at time zone 'UTC' as event_occurred_at,
  event_received_at at time zone 'UTC' as event_received_at`,
  `
  select c.*, e.event_id, e.state as event_state, e.outcome as event_outcome, e.occurred_at as event_occurred_at,
    e.received_at as event_received_at, e.direction as event_direction, e.from_number as event_from,
    e.to_number as event_to, e.corrects as event_corrects, e.metadata as event_metadata, e.place
  from hopwhistle.calls c
  left join hopwhistle.call_events e on e.tenant_id = $2 and e.call_id = $3
  where c.tenant_id = $2 and c.call_id = $3 and tenant.ids is not null
  order by e.occurred_at, least(e.state, 3), e.received_at, e.place, e.event_id
`,
)

export function timelineStatement(tenantId: string, callId: string): ReportStatement {
  return { name: 'call timeline', text: TEXT, values: [`{${tenantId}}`, tenantId, callId] }
}

/** The `call` and the `events` of a timeline as JSON, without braces; undefined when there is no such call. */
export function timelineFields(rows: readonly TimelineRow[]): string | undefined {
  const [call] = rows
  if (call === undefined) return undefined
  const events = rows.filter((row) => row.event_id !== null).map(eventJson)
  return `"call":{${callFields(call)}},"events":[${events.join(',')}]`
}

function eventJson(row: TimelineRow): string {
  return (
    `{"eventId":${textJson(row.event_id)},"state":"${CALL_STATES[Number(row.event_state)]}",` +
    `"outcome":"${row.event_outcome === '0' ? 'applied' : 'late'}","occurredAt":${timeJson(row.event_occurred_at)},` +
    `"receivedAt":${timeJson(row.event_received_at)},"direction":${directionJson(row.event_direction)},` +
    `"from":${textJson(row.event_from)},"to":${textJson(row.event_to)},` +
    `"corrects":${row.event_corrects !== null},"metadata":${row.event_metadata ?? 'null'}}`
  )
}
