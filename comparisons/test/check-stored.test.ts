/** The check that makes an ingest benchmark valid: it must fail for each kind of loss. */
import { DEMO_TENANT_ID } from '@hopwhistle/contract/demo.ts'
import { emptyDatabase } from '@hopwhistle/platform/test-support/fresh-database.ts'
import type pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { connectPostgres } from '../../platform/test-support/connect-postgres.ts'
import { checkStored, NotStored, ROW_TABLES } from '../base/check-stored.ts'
import { callEvent, occurredAtMs } from '../generator/call-events.ts'
import { createRowTables, openRowStore, type RowStore } from '../servers/row-store.ts'

let client: pg.Client
let rows: RowStore
const startedAtMs = Date.now()
/** Events of each state, of a thousand calls in turn. */
const sent = Array.from({ length: 4_000 }, (_, n) => callEvent('check', n, occurredAtMs(startedAtMs, n))).filter(
  (_, n) => n % 20 === 0,
)

beforeAll(async () => {
  const { ownerUrl } = await emptyDatabase()
  client = await connectPostgres(ownerUrl)
  await createRowTables(client)
  rows = openRowStore(ownerUrl, DEMO_TENANT_ID, 4)
  await Promise.all(sent.map(rows.store))
})
afterAll(async () => {
  await rows.close()
})
beforeEach(() => client.query('begin'))
afterEach(() => client.query('rollback'))

const check = () => checkStored(client, DEMO_TENANT_ID, sent, ROW_TABLES)
const { eventId, callId } = sent[7]!

test('what was sent and stored is found, event by event and call by call', async () => {
  expect(await check()).toEqual({ events: 200, calls: new Set(sent.map((event) => event.callId)).size })
})

test.each([
  [
    'an event that is missing',
    'delete from naive.call_events where event_id = $1',
    eventId,
    `event ${eventId} is missing`,
  ],
  [
    'an event with another state',
    'update naive.call_events set state = 7 where event_id = $1',
    eventId,
    `event ${eventId} was changed`,
  ],
  [
    'an event that occurred a millisecond later',
    `update naive.call_events set occurred_at = occurred_at + interval '1 ms' where event_id = $1`,
    eventId,
    `event ${eventId} was changed`,
  ],
  [
    'an event without its number',
    'update naive.call_events set from_number = null where event_id = $1',
    eventId,
    `event ${eventId} was changed`,
  ],
  ['a call that is missing', 'delete from naive.calls where call_id = $1', callId, `call ${callId} is missing`],
  [
    'a call in another state',
    'update naive.calls set state = 5 where call_id = $1',
    callId,
    `call ${callId} is in state 5, not `,
  ],
])('%s is told', async (_, sql, id, told) => {
  await client.query(sql, [id])
  const error = await check().catch((error: Error) => error)
  expect(error).toBeInstanceOf(NotStored)
  expect((error as Error).message).toContain(told)
})
