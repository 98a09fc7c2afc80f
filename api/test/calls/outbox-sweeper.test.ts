import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { CommittedBatch } from '../../src/calls/live-messages.ts'
import type { OutboxSweeperDependencies } from '../../src/calls/outbox-sweeper.ts'
import { sweepOutbox } from '../../src/calls/outbox-sweeper.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import type { CallStore } from './call-store.ts'
import { callEvent, callStore } from './call-store.ts'

vi.setConfig({ testTimeout: 60_000 })
let store: CallStore
beforeEach(async () => {
  store = await callStore()
})
afterEach(() => store.close())

/** A sweeper, and what it has published, by tenant. */
function sweeper(
  given: Partial<OutboxSweeperDependencies> & { fails?: (batch: CommittedBatch) => Promise<void> } = {},
) {
  const { fails, ...others } = given
  const published: CommittedBatch[] = []
  const deps = {
    upkeep: store.pool(),
    publish: async (batch: CommittedBatch) => {
      await fails?.(batch)
      published.push(batch)
    },
    olderThanMs: 0,
    metrics: createMetrics(),
    log: createLog({ level: process.env.TEST_LOG_LEVEL ?? 'silent', instanceId: 'test' }),
    ...others,
  }
  const eventsOf = (tenantId: string) =>
    published.filter((batch) => batch.tenantId === tenantId).flatMap((batch) => batch.messages.map((m) => m.eventId))
  return { deps, published, eventsOf, sweep: () => sweepOutbox(deps) }
}

/** Commits so many events, one a batch, of which none is published. @returns their ids, in order */
async function leaveInOutbox(tenantId: string, events: number): Promise<readonly string[]> {
  const rows = await store.query<{ event_id: string }>(
    `with stored as (
       insert into hopwhistle.call_events (tenant_id, event_id, call_id, state, occurred_at, received_at, place)
       select $1, 'event ' || lpad(n::text, 5, '0'), 'call ' || n, 0, now(), now(), 1 from generate_series(1, $2::int) as n
       returning event_id),
     outboxed as (
       insert into hopwhistle.outbox (tenant_id, created_at, event_ids)
       select $1, now() - interval '20 seconds', array[event_id] from stored order by event_id)
     select event_id from stored order by event_id`,
    [tenantId, events],
  )
  return rows.map(({ event_id }) => event_id)
}

const left = async (tenantId: string) =>
  (await store.query('select from hopwhistle.outbox where tenant_id = $1', [tenantId])).length

test("one tenant's publishes that fail keep none of another's, and nothing is published twice", async () => {
  const [first, broken, last] = await Promise.all(Array.from({ length: 3 }, store.newTenant))
  const events = {
    first: await leaveInOutbox(first!, 30),
    // More than one transaction has room for.
    broken: await leaveInOutbox(broken!, 120),
    last: await leaveInOutbox(last!, 30),
  }
  let isBroken = true
  const { sweep, eventsOf, deps } = sweeper({
    fails: ({ tenantId }) =>
      isBroken && tenantId === broken ? Promise.reject(new Error('no room')) : Promise.resolve(),
  })
  expect(await sweep()).toEqual({ published: 60, failing: new Set([broken]) })
  expect(await sweep()).toEqual({ published: 0, failing: new Set([broken]) })
  expect(eventsOf(first!)).toEqual(events.first)
  expect(eventsOf(last!)).toEqual(events.last)
  expect([await left(first!), await left(broken!), await left(last!)]).toEqual([0, 120, 0])
  expect((await deps.metrics.outboxStale.get()).values[0]?.value).toBeGreaterThan(19)

  isBroken = false
  expect(await sweep()).toEqual({ published: 120, failing: new Set() })
  expect(eventsOf(broken!)).toEqual(events.broken)
  await sweep()
  expect((await deps.metrics.outboxStale.get()).values[0]?.value).toBe(0)
  expect((await deps.metrics.outboxRepublished.get()).values[0]?.value).toBe(180)
})

test('of a tenant of which one batch fails, the others go', async () => {
  const tenantId = await store.newTenant()
  await leaveInOutbox(tenantId, 5)
  const { sweep, eventsOf } = sweeper({
    fails: async ({ messages }) => {
      if (messages[0]?.eventId === 'event 00001') throw new Error('too large')
    },
  })
  expect(await sweep()).toEqual({ published: 4, failing: new Set([tenantId]) })
  expect(eventsOf(tenantId)).not.toContain('event 00001')
  expect(await left(tenantId)).toBe(1)
})

test('a publish that hangs is waited for once, and holds up no other tenant', async () => {
  const [hanging, other] = [await store.newTenant(), await store.newTenant()]
  await leaveInOutbox(hanging, 30)
  await leaveInOutbox(other, 3)
  let waits = 0
  const { sweep } = sweeper({
    publishWithinMs: 200,
    fails: ({ tenantId }) => {
      if (tenantId !== hanging) return Promise.resolve()
      waits += 1
      return new Promise(() => {})
    },
  })
  expect(await sweep()).toEqual({ published: 3, failing: new Set([hanging]) })
  expect(waits).toBeLessThanOrEqual(30)
  expect([await left(hanging), await left(other)]).toEqual([30, 0])
})

test('the longest backlog delays no other tenant', async () => {
  const [busy, other] = [await store.newTenant(), await store.newTenant()]
  const events = await leaveInOutbox(busy, 300)
  await leaveInOutbox(other, 3)
  const { sweep, published, eventsOf } = sweeper()
  expect(await sweep()).toMatchObject({ published: 303 })
  const place = published.findLastIndex(({ tenantId }) => tenantId === other)
  expect(place, 'the place of its last batch').toBeLessThan(50)
  expect(eventsOf(busy), 'each tenant keeps its order').toEqual(events)
})

test('two instances that sweep at once publish each batch once', async () => {
  const tenants = await Promise.all(Array.from({ length: 3 }, store.newTenant))
  for (const tenant of tenants) await leaveInOutbox(tenant, 40)
  const both = [sweeper(), sweeper()]
  await Promise.all(both.map(({ sweep }) => sweep()))
  const batches = both.flatMap(({ published }) => published.map(({ batchId }) => batchId))
  expect(batches).toHaveLength(120)
  expect(new Set(batches).size).toBe(120)
})

test('what is not stale yet is left to the instance that has committed it', async () => {
  const tenantId = await store.newTenant()
  const ingest = store.ingest({}, { publish: () => new Promise(() => {}) })
  await ingest.submit(tenantId, callEvent('INITIATED'))
  expect(await sweeper({ olderThanMs: 600_000 }).sweep()).toEqual({ published: 0, failing: new Set() })
  expect(await sweeper({ olderThanMs: 0 }).sweep()).toMatchObject({ published: 1 })
})
