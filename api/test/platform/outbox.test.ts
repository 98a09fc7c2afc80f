/** Redis refuses what one tenant publishes: the others' messages go out as always, and none of its own is lost. */
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { openClient } from '../live/support/client.ts'
import { anEvent, type Platform, post, type Running, runningPlatform, type Tenant } from './running-platform.ts'

let platform: Platform
let redis: Redis
beforeAll(async () => {
  platform = await runningPlatform(2, { OUTBOX_SWEEP_AFTER_MS: '300' })
  redis = new Redis(platform.redis.url)
})
afterAll(async () => {
  redis.disconnect()
  await platform.close()
})

const at = (i: number) => platform.instances[i % 2] as Running
const soon = { timeoutMs: 60_000, everyMs: 20 }

async function subscribed(tenant: Tenant) {
  const client = openClient(at(0).url.replace('http', 'ws') + ROUTES.live, tenant.key)
  await client.subscribe()
  const eventIds: string[] = []
  return { tenant, client, eventIds }
}
type Subscribed = Awaited<ReturnType<typeof subscribed>>

/** Taken by either instance in turn. */
async function send({ tenant, eventIds }: Subscribed, count: number) {
  for (let i = 0; i < count; i++) {
    const event = anEvent('INITIATED')
    expect((await post(at(i), event, tenant.key)).status).toBe(201)
    eventIds.push(event.eventId)
  }
}

/** What an instance leaves that dies between its commit and its publish. */
async function leaveInOutbox({ tenant, eventIds }: Subscribed, count: number) {
  const rows = await platform.query<{ event_id: string }>(
    `with stored as (
       insert into hopwhistle.call_events (tenant_id, event_id, call_id, state, occurred_at, received_at, place)
       select $1, gen_random_uuid(), 'call ' || n, 0, now(), now(), 1 from generate_series(1, $2::int) as n
       returning event_id),
     left_behind as (
       insert into hopwhistle.outbox (tenant_id, created_at, event_ids)
       select $1, now() - interval '20 seconds', array[event_id] from stored)
     select event_id from stored`,
    [tenant.id, count],
  )
  eventIds.push(...rows.map(({ event_id }) => event_id))
}

const left = async ({ tenant }: Subscribed) =>
  (await platform.query('select from hopwhistle.outbox where tenant_id = $1', [tenant.id])).length
const hasAll = ({ client, eventIds }: Subscribed) => client.messages.length >= eventIds.length

test("one tenant's publishes fail in Redis: the others get theirs once meanwhile, and it gets its own once later", {
  timeout: 120_000,
}, async () => {
  const [first, broken, last] = (await Promise.all(
    Array.from({ length: 3 }, async () => subscribed(await platform.newTenant())),
  )) as [Subscribed, Subscribed, Subscribed]
  const history = `hw:{${broken.tenant.id}}:live:history`
  await redis.set(history, 'not a stream')

  for (const one of [first, broken, last]) {
    await send(one, 20)
    await leaveInOutbox(one, 60)
  }
  await waitUntil('the messages of the others', () => hasAll(first) && hasAll(last), soon)
  await waitUntil('their outbox to be empty', async () => (await left(first)) + (await left(last)) === 0, soon)
  expect(broken.client.messages).toEqual([])
  expect(await left(broken)).toBeGreaterThan(0)

  await redis.del(history)
  await waitUntil('the messages that had failed', () => hasAll(broken), soon)
  await waitUntil('an empty outbox', async () => (await left(broken)) === 0, soon)
  for (const { client, eventIds } of [first, broken, last]) {
    expect(client.ids().toSorted()).toEqual(eventIds.toSorted())
    expect([client.broken(), client.closed(), client.notices.map(({ type }) => type)]).toEqual([
      [],
      undefined,
      ['subscribed'],
    ])
    client.close()
  }
})
