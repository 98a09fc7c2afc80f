import { CALL_STATES } from '@hopwhistle/contract/calls.ts'
import {
  DEMO_API_KEY,
  DEMO_TENANT_ID,
  DEMO_TWILIO_TOKEN,
  demoApiKey,
  demoTenantId,
  demoTwilioCallback,
} from '@hopwhistle/contract/demo.ts'
import { SCOPES } from '@hopwhistle/contract/routes.ts'
import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectPostgres } from '../../../platform/test-support/connect-postgres.ts'
import { createSecretBox } from '../../src/access/secret-box.ts'
import { endDemoKeys, seedDemo } from '../../src/postgres/seed-demo.ts'
import { sealedFor } from '../../src/providers/callbacks.ts'
import type { Call } from '../calls/call-model.ts'
import { foldCall, plainLabels } from '../calls/call-model.ts'
import type { CallStore, StoredCall } from '../calls/call-store.ts'
import { callStore } from '../calls/call-store.ts'
import { foldedRollups, plainDays, plainHours } from '../calls/rollups.ts'

const NOW = new Date('2026-01-30T15:20:00Z')
const CALLS = 12_000

let store: CallStore
let client: pg.Client
beforeAll(async () => {
  store = await callStore()
  client = await connectPostgres(store.database.ownerUrl)
  await seedDemo(client, { now: NOW, calls: CALLS, again: false })
})
afterAll(async () => {
  await store.close()
})

test('events, calls and rollups agree to the last call', async () => {
  const events = await store.query<{
    call_id: string
    state: number
    at: string
    direction: number
    from_number: string
    to_number: string
    labels: Record<string, string> | null
  }>(
    `select call_id, state, extract(epoch from occurred_at) * 1000 as at, direction, from_number, to_number, metadata -> 0 as labels
     from hopwhistle.call_events where tenant_id = $1 order by received_at, event_id`,
    [DEMO_TENANT_ID],
  )
  const made = new Map<string, Call>()
  for (const row of events) {
    const event = {
      state: CALL_STATES[row.state]!,
      occurredAt: Number(row.at),
      direction: row.direction === null ? undefined : (['inbound', 'outbound'] as const)[row.direction],
      from: row.from_number ?? undefined,
      to: row.to_number ?? undefined,
      corrects: undefined,
      labels: row.labels ?? undefined,
    }
    made.set(row.call_id, foldCall(made.get(row.call_id), event).call)
  }
  const calls = await store.calls(DEMO_TENANT_ID)
  expect(calls.size).toBeGreaterThanOrEqual(CALLS)
  expect(calls).toEqual(new Map([...made].map(([id, { labels: _, ...call }]) => [id, call])))
  const labelled = [...made].filter(([, { labels }]) => labels !== undefined)
  expect(labelled.length).toBeGreaterThan(CALLS / 2)
  expect(await store.labels(DEMO_TENANT_ID)).toEqual(
    Object.fromEntries(labelled.map(([id, call]) => [id, plainLabels(call)])),
  )
  expect(await foldedRollups(store, DEMO_TENANT_ID, 'hourly')).toEqual(plainHours(calls.values()))
  expect(await foldedRollups(store, DEMO_TENANT_ID, 'daily')).toEqual(plainDays(calls.values()))
})

test('the calls are believable: every ending, no time after now, days busier than nights and weekends', async () => {
  const calls = [...(await store.calls(DEMO_TENANT_ID)).values()]
  const share = (of: (call: StoredCall) => boolean) => calls.filter(of).length / calls.length
  for (const [state, low, high] of [
    ['COMPLETED', 0.68, 0.76],
    ['NO_ANSWER', 0.1, 0.16],
    ['CANCELED', 0.05, 0.09],
    ['BUSY', 0.03, 0.07],
    ['FAILED', 0.02, 0.05],
  ] as const) {
    expect(
      share((call) => call.state === state),
      state,
    ).toSatisfy((s: number) => s > low && s < high)
  }
  const times = calls.flatMap((call) =>
    [call.startedAt, call.answeredAt, call.endedAt].filter((at) => at !== undefined),
  )
  expect(Math.max(...times)).toBeLessThanOrEqual(NOW.getTime())
  expect(NOW.getTime() - Math.min(...times)).toBeGreaterThan(29.9 * 24 * 3600 * 1000)
  const weekend = share((call) => [0, 6].includes(new Date(call.startedAt).getUTCDay()))
  expect(weekend).toBeLessThan(0.15)
  const night = share((call) => new Date(call.startedAt).getUTCHours() < 6)
  expect(night).toBeLessThan(0.05)
  // Those still going on at the end.
  expect(share((call) => call.endedAt === undefined)).toBeGreaterThan(0)
})

test('run again, it says that all is there and adds nothing', async () => {
  const before = await store.query('select count(*) from hopwhistle.call_events')
  const seeded = await seedDemo(client, { now: new Date(), calls: CALLS, again: false })
  expect(seeded).toMatchObject({ wasThere: true, calls: (await store.calls(DEMO_TENANT_ID)).size })
  expect(await store.query('select count(*) from hopwhistle.call_events')).toEqual(before)
})

test('its key opens everything', async () => {
  const { rows } = await client.query(
    'select tenant_id, scopes from hopwhistle.authenticate(sha256($1::text::bytea))',
    [DEMO_API_KEY],
  )
  expect(rows).toEqual([{ tenant_id: DEMO_TENANT_ID, scopes: [...SCOPES] }])
})

test('on request it begins again, in the same way', async () => {
  const before = await store.calls(DEMO_TENANT_ID)
  await seedDemo(client, { now: NOW, calls: CALLS, again: true })
  expect(await store.calls(DEMO_TENANT_ID)).toEqual(before)
  expect(await foldedRollups(store, DEMO_TENANT_ID, 'daily')).toEqual(plainDays(before.values()))
})

test('turned off, the demo key works no more, and the calls stay; seeding again lets it work again', async () => {
  const works = async () =>
    (await store.query(`select from hopwhistle.authenticate(sha256($1::text::bytea))`, [DEMO_API_KEY])).length
  const calls = async () =>
    store.query('select count(*) as n from hopwhistle.calls where tenant_id = $1', [DEMO_TENANT_ID])
  const before = await calls()
  await client.query('set role hopwhistle_owner')
  expect([await works(), await endDemoKeys(client), await works(), await endDemoKeys(client)]).toEqual([
    1,
    true,
    0,
    false,
  ])
  await client.query('reset role')
  expect(await calls()).toEqual(before)
  await seedDemo(client, { now: NOW, calls: CALLS, again: false })
  expect(await works()).toBe(1)
})

test('with a key for secrets, each tenant has a callback for Twilio that opens with it, until it is turned off', async () => {
  const box = createSecretBox([Buffer.alloc(32, 1)])
  const options = { now: NOW, calls: CALLS, tenants: 2, again: false }
  const seed = () => seedDemo(client, { ...options, seal: (secret, id) => box.seal(secret, sealedFor(id, 'twilio')) })
  const callback = async (n: number) => {
    const [row] = await store.query<{ id: string; tenant_id: string; sealed_secret: Buffer }>(
      `select id, tenant_id, sealed_secret from hopwhistle.find_provider_callback(sha256($1::text::bytea), 'twilio')`,
      [demoTwilioCallback(n)],
    )
    return row && [row.tenant_id, box.open(row.sealed_secret, sealedFor(row.id, 'twilio'))]
  }
  expect(await callback(0)).toBeUndefined()
  await seed()
  await seed()
  expect(await callback(0)).toEqual([DEMO_TENANT_ID, DEMO_TWILIO_TOKEN])
  expect(await callback(1)).toEqual([demoTenantId(1), DEMO_TWILIO_TOKEN])
  await client.query('set role hopwhistle_owner')
  await endDemoKeys(client)
  await client.query('reset role')
  expect(await callback(0)).toBeUndefined()
  await seed()
  expect(await callback(0)).toEqual([DEMO_TENANT_ID, DEMO_TWILIO_TOKEN])
})

test('its reports can be shown in a time zone, which stays until another is given', async () => {
  const zone = async () => {
    const { rows } = await client.query('select time_zone from hopwhistle.authenticate(sha256($1::text::bytea))', [
      DEMO_API_KEY,
    ])
    return rows[0].time_zone
  }
  const seed = (timeZone?: string | null) =>
    seedDemo(client, { now: NOW, calls: CALLS, again: false, ...(timeZone === undefined ? {} : { timeZone }) })
  await seed('Asia/Kolkata')
  expect(await zone()).toBe('Asia/Kolkata')
  await seed()
  expect(await zone()).toBe('Asia/Kolkata')
  await seed(null)
  expect(await zone()).toBe(null)
})

test('its calls can be spread over many tenants, each with a key of its own; turned off, none of these works', async () => {
  const tenants = 30
  await seedDemo(client, { now: NOW, calls: CALLS, tenants, again: true })
  const spread = await store.query<{ tenant_id: string; calls: number }>(
    'select tenant_id, count(*)::int as calls from hopwhistle.calls group by 1 order by 1',
  )
  expect(spread.map(({ tenant_id }) => tenant_id)).toEqual(Array.from({ length: tenants }, (_, n) => demoTenantId(n)))
  expect(Math.max(...spread.map(({ calls }) => calls)) - Math.min(...spread.map(({ calls }) => calls))).toBeLessThan(3)
  const last = await store.calls(demoTenantId(tenants - 1))
  expect(await foldedRollups(store, demoTenantId(tenants - 1), 'hourly')).toEqual(plainHours(last.values()))
  const tenantOf = async (key: string) =>
    (
      await store.query<{ tenant_id: string }>(
        'select tenant_id from hopwhistle.authenticate(sha256($1::text::bytea))',
        [key],
      )
    )[0]?.tenant_id
  expect(await tenantOf(demoApiKey(tenants - 1))).toBe(demoTenantId(tenants - 1))
  await client.query('set role hopwhistle_owner')
  expect(await endDemoKeys(client)).toBe(true)
  await client.query('reset role')
  expect(await tenantOf(demoApiKey(tenants - 1))).toBeUndefined()
  await seedDemo(client, { now: NOW, calls: CALLS, again: true })
})
