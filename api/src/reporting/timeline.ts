import { CALL_STATES, TERMINAL_RANK } from '@hopwhistle/contract/calls.ts'
import { parseWalPosition } from '../postgres/wal-position.ts'
import { asTenant, SHOWN_UP_TO } from './as-tenant.ts'
import type { CallRow } from './call-json.ts'
import { CALL_COLUMNS, callFields, directionJson, textJson, timeJson } from './call-json.ts'
import type { PageCursor } from './page-cursor.ts'
import type { ReportStatement } from './read-report.ts'

/** One row for each event, each with all columns of the call: a call has only a few events. */
export type TimelineRow = CallRow & {
  readonly shown_up_to: string
  readonly event_place: string
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
  readonly event_labels: string | null
}

/**
 * A call and a page of its events, from one snapshot, in the order they occurred; what occurred at the same time, by how far
 * it takes a call, and then as it arrived.
 *
 * Plan: calls_pkey, and call_events_call in each of the eight partitions. All events of the call are sorted for every page:
 * there are at most EVENT_BOUNDS.eventsPerCall.
 */
const TEXT = asTenant(
  `${CALL_COLUMNS}, ${SHOWN_UP_TO} as shown_up_to, event_place,
  event_id, event_state, event_outcome, event_direction, event_from, event_to, event_corrects,
  event_metadata, event_labels,
  event_occurred_at at time zone 'UTC' as event_occurred_at,
  event_received_at at time zone 'UTC' as event_received_at`,
  `
  select c.*, e.*
  from hopwhistle.calls c
  left join lateral (
    select event_id, state as event_state, outcome as event_outcome, occurred_at as event_occurred_at,
      received_at as event_received_at, direction as event_direction, from_number as event_from, to_number as event_to,
      corrects as event_corrects, coalesce(place, 0) as event_place,
      -- With labels it is an array of both.
      case when jsonb_typeof(metadata) = 'array' then metadata -> 0 end as event_labels,
      case when jsonb_typeof(metadata) = 'array' then nullif(metadata -> 1, 'null') else metadata end as event_metadata
    from hopwhistle.call_events
    where tenant_id = $2 and call_id = $3
      and (occurred_at, least(state, 3), received_at, coalesce(place, 0), event_id)
        > ($4::timestamptz, $5::integer, $6::timestamptz, $7::integer, $8::text)
    order by occurred_at, least(state, 3), received_at, coalesce(place, 0), event_id
    limit $9
  ) e on true
  where c.tenant_id = $2 and c.call_id = $3 and tenant.ids is not null
  order by event_occurred_at, least(event_state, 3), event_received_at, event_place, event_id
`,
)

const BEGINNING = ['-infinity', '-1', '-infinity', '0', ''] as const

/** @param limit events on the page; one row more than that is fetched */
export function timelineStatement(
  tenantId: string,
  callId: string,
  cursor: PageCursor | undefined,
  limit: number,
): ReportStatement {
  const after = cursor === undefined ? BEGINNING : inUtc(cursor.place)
  return { name: 'call timeline', text: TEXT, values: [`{${tenantId}}`, tenantId, callId, ...after, limit + 1] }
}

const inUtc = ([occurredAt, rank, receivedAt, ...rest]: readonly string[]) => [
  `${occurredAt}Z`,
  rank,
  `${receivedAt}Z`,
  ...rest,
]

/** The `call`, the `events` and the `nextCursor` of a page as JSON, without braces; undefined when there is no such call. */
export function timelineFields(
  rows: readonly TimelineRow[],
  limit: number,
  encode: (cursor: PageCursor) => string,
): string | undefined {
  const [call] = rows
  if (call === undefined) return undefined
  const page = rows.filter((row) => row.event_id !== null).slice(0, limit)
  const last = page.at(-1)
  const nextCursor = last === undefined || rows.length <= limit ? 'null' : `"${encode(cursorAt(last))}"`
  return `"call":{${callFields(call)}},"events":[${page.map(eventJson).join(',')}],"nextCursor":${nextCursor}`
}

const cursorAt = (row: TimelineRow): PageCursor => ({
  place: [
    row.event_occurred_at,
    String(Math.min(Number(row.event_state), TERMINAL_RANK)),
    row.event_received_at,
    row.event_place,
    row.event_id ?? '',
  ],
  shownUpTo: parseWalPosition(row.shown_up_to) ?? 0n,
})

function eventJson(row: TimelineRow): string {
  return (
    `{"eventId":${textJson(row.event_id)},"state":"${CALL_STATES[Number(row.event_state)]}",` +
    `"outcome":"${row.event_outcome === '0' ? 'applied' : 'late'}","occurredAt":${timeJson(row.event_occurred_at)},` +
    `"receivedAt":${timeJson(row.event_received_at)},"direction":${directionJson(row.event_direction)},` +
    `"from":${textJson(row.event_from)},"to":${textJson(row.event_to)},` +
    `"corrects":${row.event_corrects !== null},"labels":${row.event_labels ?? '{}'},"metadata":${row.event_metadata ?? 'null'}}`
  )
}
