/** Checks that what was acknowledged is stored: every event as sent, and every call as computed from its events. */
import { CALL_DIRECTIONS, CALL_STATE_CODE, type CallEventBody } from '@hopwhistle/contract/calls.ts'
import type { Client } from 'pg'
// By its path: another checkout that loads this file has only the packages of its API.
import { Failure } from '../../platform/command-line/failure.ts'

/** Rows compared by one statement. */
const CHUNK = 20_000
/** How many differences the message names. */
const TOLD = 5

/** Where events and calls are stored: table names, or queries in brackets. */
export type StoredTables = { readonly events: string; readonly calls: string }
export const PLATFORM_TABLES: StoredTables = { events: 'hopwhistle.call_events', calls: 'hopwhistle.calls' }
/** The tables of the transaction for each request. */
export const ROW_TABLES: StoredTables = { events: 'naive.call_events', calls: 'naive.calls' }

const eventsThatDiffer = ({ events }: StoredTables) => `
  with sent as (
    select * from unnest($2::text[], $3::text[], $4::smallint[], $5::bigint[], $6::smallint[], $7::text[], $8::text[])
      as s (event_id, call_id, state, occurred_ms, direction, from_number, to_number))
  select s.event_id as id, case when e.event_id is null then 'is missing' else 'was changed' end as what
  from sent s
  left join ${events} e on e.tenant_id = $1 and e.event_id = s.event_id
  where e.event_id is null
    or (e.call_id, e.state, e.occurred_at, e.direction, e.from_number, e.to_number)
      is distinct from (s.call_id, s.state, to_timestamp(s.occurred_ms / 1000.0::float8), s.direction, s.from_number, s.to_number)`

const callsThatDiffer = ({ calls }: StoredTables) => `
  with expected as (select * from unnest($2::text[], $3::smallint[], $4::bigint[]) as x (call_id, state, started_ms))
  select x.call_id as id,
    case when c.call_id is null then 'is missing' else format('is in state %s, not %s', c.state, x.state) end as what
  from expected x
  left join ${calls} c on c.tenant_id = $1 and c.call_id = x.call_id
  where c.call_id is null or (c.state, c.started_at) is distinct from (x.state, to_timestamp(x.started_ms / 1000.0::float8))`

/** Some acknowledged events are not in the database, so the measurement is not valid. */
export class NotStored extends Failure {
  override readonly name = 'NotStored'
}

/**
 * Compares row by row.
 *
 * @param acknowledged all events of its calls that may have been stored
 * @throws {NotStored} naming the first rows that are missing or different
 */
export async function checkStored(
  client: Client,
  tenantId: string,
  acknowledged: readonly CallEventBody[],
  tables = PLATFORM_TABLES,
): Promise<{ readonly events: number; readonly calls: number }> {
  const wrong: string[] = []
  const compare = async (what: string, sql: string, values: readonly (readonly unknown[])[]) => {
    const { rows } = await client.query<{ id: string; what: string }>(sql, [tenantId, ...values])
    wrong.push(...rows.map((row) => `${what} ${row.id} ${row.what}`))
  }
  for (const events of chunks(acknowledged)) {
    await compare('event', eventsThatDiffer(tables), [
      events.map(({ eventId }) => eventId),
      events.map(({ callId }) => callId),
      events.map(({ state }) => CALL_STATE_CODE[state]),
      events.map(({ occurredAt }) => Date.parse(occurredAt)),
      events.map(({ direction }) => (direction === undefined ? null : CALL_DIRECTIONS.indexOf(direction))),
      events.map(({ from }) => from),
      events.map(({ to }) => to),
    ])
  }
  const calls = callsOf(acknowledged)
  for (const some of chunks([...calls])) {
    await compare('call', callsThatDiffer(tables), [
      some.map(([callId]) => callId),
      some.map(([, { state }]) => state),
      some.map(([, { startedMs }]) => startedMs),
    ])
  }
  if (wrong.length > 0) {
    const told = wrong.slice(0, TOLD).join('\n  ')
    throw new NotStored(
      `${wrong.length} acknowledged events and calls are missing, or differ from what was sent:\n  ${told}`,
    )
  }
  return { events: acknowledged.length, calls: calls.size }
}

/** Computes the calls from events with at most one terminal state: the furthest state, and the first time. */
function callsOf(events: readonly CallEventBody[]): ReadonlyMap<string, { state: number; startedMs: number }> {
  const calls = new Map<string, { state: number; startedMs: number }>()
  for (const { callId, state, occurredAt } of events) {
    const code = CALL_STATE_CODE[state]
    const ms = Date.parse(occurredAt)
    const call = calls.get(callId)
    if (call === undefined) calls.set(callId, { state: code, startedMs: ms })
    else {
      call.state = Math.max(call.state, code)
      call.startedMs = Math.min(call.startedMs, ms)
    }
  }
  return calls
}

function* chunks<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += CHUNK) yield all.slice(at, at + CHUNK)
}
