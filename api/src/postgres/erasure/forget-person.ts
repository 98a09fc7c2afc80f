/**
 * Removes a person's numbers from what is stored, also where metadata or labels have them. Events and calls stay, without the number, so that every count and every
 * rollup stays what it was.
 *
 * It works in short transactions, and can be run again after any of them. Live delivery goes on meanwhile: what is in the
 * outbox is read from the events when it is published.
 */
import type { ClientBase } from 'pg'

export type Forgotten = {
  readonly events: number
  readonly calls: number
  /** The tenants that something was found of. */
  readonly tenantIds: readonly string[]
}

type Db = Pick<ClientBase, 'query'>

const AT_ONCE = 500
/** Events that come meanwhile may have it again; after as many looks somebody goes on sending it. */
const LOOKS_MAX = 5

/**
 * Removes a number from events and calls, in whatever notation they have it, and metadata that has it. Reads all events once or
 * twice: metadata has no index.
 *
 * @param number in any notation
 * @param tenantId absent: of all tenants
 * @throws {Error} when events with it go on coming
 */
export async function forgetNumber(db: Db, number: string, tenantId?: string): Promise<Forgotten> {
  const normal = await normalForm(db, number)
  return untilNothingIsFound(() => forgetNumberOnce(db, normal, tenantId))
}

/** Removes all numbers, metadata and labels of a call and its events. */
export async function forgetCall(db: Db, callId: string, tenantId?: string): Promise<Forgotten> {
  return untilNothingIsFound(() => forgetCallOnce(db, callId, tenantId))
}

async function untilNothingIsFound(look: () => Promise<Forgotten>): Promise<Forgotten> {
  let sum: Forgotten = { events: 0, calls: 0, tenantIds: [] }
  for (let i = 0; i < LOOKS_MAX; i++) {
    const found = await look()
    if (found.tenantIds.length === 0) return sum
    sum = {
      events: sum.events + found.events,
      calls: Math.max(sum.calls, found.calls),
      tenantIds: [...new Set([...sum.tenantIds, ...found.tenantIds])],
    }
  }
  throw new Error('events with it go on coming: stop who sends them, and run this again')
}

/**
 * How many events have a number in their id or in that of their call. Those stay: by its id an event is known when it is sent
 * again, and by its call's id the next one finds the call.
 */
export async function countIdsWith(db: Db, number: string, tenantId?: string): Promise<number> {
  const { rows } = await db.query<{ count: string }>(
    `select count(*) from hopwhistle.call_events
     where ($1::uuid is null or tenant_id = $1) and (event_id ~ $2 or call_id ~ $2)`,
    [tenantId, patternOf(await normalForm(db, number))],
  )
  return Number(rows[0]?.count)
}

async function normalForm(db: Db, number: string): Promise<string> {
  const { rows } = await db.query<{ normal: string }>('select hopwhistle.normal_number($1) as normal', [number])
  return rows[0]?.normal ?? number
}

type Found = { readonly tenant_id: string; readonly id: string }

/** @param number in its normal form */
async function forgetNumberOnce(db: Db, number: string, tenantId: string | undefined): Promise<Forgotten> {
  const inMetadata = patternOf(number)
  const events = await find(
    db,
    `select tenant_id, event_id as id from hopwhistle.call_events
     where ($1::uuid is null or tenant_id = $1)
       and (hopwhistle.normal_number(from_number) = $2 or hopwhistle.normal_number(to_number) = $2
         or metadata::text ~ $3 and hopwhistle.metadata_without(metadata, $3) is distinct from metadata)`,
    [tenantId, number, inMetadata],
  )
  for (const [of, ids] of portions(events)) {
    await db.query(
      `update hopwhistle.call_events
       set from_number = case when hopwhistle.normal_number(from_number) <> $2 then from_number end,
         to_number = case when hopwhistle.normal_number(to_number) <> $2 then to_number end,
         metadata = hopwhistle.metadata_without(metadata, $3)
       where tenant_id = $1 and event_id = any ($4)`,
      [of, number, inMetadata, ids],
    )
  }
  const aside = await find(
    db,
    `delete from hopwhistle.events_aside
     where ($1::uuid is null or tenant_id = $1)
       and (hopwhistle.normal_number(body ->> 'from') = $2 or hopwhistle.normal_number(body ->> 'to') = $2 or body::text ~ $3)
     returning tenant_id, event_id as id`,
    [tenantId, number, inMetadata],
  )
  // After the events: a call has the least number that its events have, and their labels.
  const calls = await find(
    db,
    `select t.id as tenant_id, c.call_id as id
     from hopwhistle.tenants t
     cross join lateral (
       select call_id from hopwhistle.calls where tenant_id = t.id and from_number = $2
       union select call_id from hopwhistle.calls where tenant_id = t.id and to_number = $2
       union select call_id from hopwhistle.calls
         where tenant_id = t.id and exists (select from jsonb_each_text(labels) l where l.value ~ $3)) c
     where $1::uuid is null or t.id = $1`,
    [tenantId, number, inMetadata],
  )
  await foldAgain(db, calls)
  return result([...events, ...aside], calls)
}

async function forgetCallOnce(db: Db, callId: string, tenantId: string | undefined): Promise<Forgotten> {
  const events = await find(
    db,
    `select tenant_id, event_id as id from hopwhistle.call_events
     where call_id = $2 and ($1::uuid is null or tenant_id = $1)
       and num_nonnulls(from_number, to_number, metadata) > 0`,
    [tenantId, callId],
  )
  for (const [of, ids] of portions(events)) {
    await db.query(
      `update hopwhistle.call_events set from_number = null, to_number = null, metadata = null
       where tenant_id = $1 and event_id = any ($2)`,
      [of, ids],
    )
  }
  const aside = await find(
    db,
    `delete from hopwhistle.events_aside where body ->> 'callId' = $2 and ($1::uuid is null or tenant_id = $1)
     returning tenant_id, event_id as id`,
    [tenantId, callId],
  )
  const calls = await find(
    db,
    `select tenant_id, call_id as id from hopwhistle.calls
     where call_id = $2 and ($1::uuid is null or tenant_id = $1) and num_nonnulls(from_number, to_number, labels) > 0`,
    [tenantId, callId],
  )
  await foldAgain(db, calls)
  return result([...events, ...aside], calls)
}

/** Locks calls in the order in which writers do, so there is no deadlock. The calls appear in the feed of changes. */
async function foldAgain(db: Db, calls: readonly Found[]): Promise<void> {
  for (const [of, ids] of portions(calls)) {
    await db.query(
      `with locked as materialized (
         select call_id from hopwhistle.calls where tenant_id = $1 and call_id = any ($2) order by call_id for update)
       update hopwhistle.calls c
       set from_number = e.from_number, to_number = e.to_number,
         labels = hopwhistle.labels_of_call(c.tenant_id, c.call_id)
       from locked l cross join lateral (
         select min(hopwhistle.normal_number(e.from_number)) as from_number,
           min(hopwhistle.normal_number(e.to_number)) as to_number
         from hopwhistle.call_events e where e.tenant_id = $1 and e.call_id = l.call_id) e
       where c.tenant_id = $1 and c.call_id = l.call_id`,
      [of, ids],
    )
    await db.query('select hopwhistle.note_changed_calls($1, $2)', [of, ids])
  }
}

async function find(db: Db, text: string, values: readonly unknown[]): Promise<readonly Found[]> {
  return (await db.query<Found>(text, [...values])).rows
}

function* portions(found: readonly Found[]): Generator<readonly [tenantId: string, ids: readonly string[]]> {
  for (const [tenantId, of] of Map.groupBy(found, ({ tenant_id }) => tenant_id)) {
    for (let from = 0; from < of.length; from += AT_ONCE) {
      yield [tenantId, of.slice(from, from + AT_ONCE).map(({ id }) => id)]
    }
  }
}

function result(events: readonly Found[], calls: readonly Found[]): Forgotten {
  return {
    events: events.length,
    calls: calls.length,
    tenantIds: [...new Set([...events, ...calls].map(({ tenant_id }) => tenant_id))],
  }
}

/**
 * The number in a longer text, with or without its plus, and not as a part of a longer one; of a telephone number with its country,
 * in any notation.
 *
 * @param number in its normal form
 */
function patternOf(number: string): string {
  const characters = [...number.replace(/^\+/, '')].map((one) => one.replace(/[^A-Za-z0-9]/, '\\$&'))
  const written = characters.join(/^\+\d+$/.test(number) ? '[-. ()/]*' : '')
  return `(^|[^0-9A-Za-z]|%2[Bb])${written}([^0-9A-Za-z]|$)`
}
