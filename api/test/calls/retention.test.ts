import { RETENTION_DAYS_MIN } from '@hopwhistle/contract/calls.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { connectPostgres } from '../../../platform/test-support/connect-postgres.ts'
import type { RetentionDependencies } from '../../src/calls/retention.ts'
import { forgetPortion, startRetention } from '../../src/calls/retention.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import type { CallStore } from './call-store.ts'
import { callEvent, callStore } from './call-store.ts'
import { foldedRollups } from './rollups.ts'

let store: CallStore
beforeEach(async () => {
  store = await callStore()
})
afterEach(() => store.close())

const retention = (given: Partial<RetentionDependencies> = {}) => ({
  upkeep: store.pool(),
  keepDays: RETENTION_DAYS_MIN,
  keepChangesDays: 7,
  metrics: createMetrics(),
  log: createLog({ level: 'silent', instanceId: 'test' }),
  ...given,
})

/** Calls of four events each, all of it `daysAgo`. */
const calls = (tenantId: string, count: number, daysAgo: number) =>
  store.query(
    `with made as (
       select $1::uuid as tenant_id, $3::float8 || ' days ago ' || n as call_id, now() - $3 * interval '1 day' as at
       from generate_series(1, $2::int) as n),
     events as (
       insert into hopwhistle.call_events (tenant_id, event_id, call_id, state, occurred_at, received_at, place)
       select tenant_id, call_id || ' ' || state, call_id, state, at, at, 1 from made, generate_series(0, 3) as state)
     insert into hopwhistle.calls (tenant_id, call_id, state, started_at, updated_at)
     select tenant_id, call_id, 3, at, at from made`,
    [tenantId, count, daysAgo],
  )
const left = async (tenantId: string) => {
  const [row] = await store.query<{ calls: number; events: number }>(
    `select (select count(*)::int from hopwhistle.calls where tenant_id = $1) as calls,
       (select count(*)::int from hopwhistle.call_events where tenant_id = $1) as events`,
    [tenantId],
  )
  return row
}
const untilFinished = async (deps: RetentionDependencies, portion: number) => {
  const portions = [await forgetPortion(deps, portion)]
  while (!portions.at(-1)?.finished) portions.push(await forgetPortion(deps, portion))
  return portions
}
const counted = async ({ metrics }: Pick<RetentionDependencies, 'metrics'>) => ({
  calls: (await metrics.retentionCalls.get()).values[0]?.value,
  events: (await metrics.retentionEvents.get()).values[0]?.value,
  passed: (await metrics.retentionPassed.get()).values[0]?.value,
})

test('calls that are too old go with all their events, tenant by tenant, in portions; others stay', async () => {
  const tenants = [await store.newTenant(), await store.newTenant(), await store.newTenant()]
  for (const tenant of [tenants[0]!, tenants[2]!]) {
    await calls(tenant, 25, RETENTION_DAYS_MIN + 0.01)
    await calls(tenant, 5, RETENTION_DAYS_MIN - 0.01)
  }
  const deps = retention()
  const portions = await untilFinished(deps, 10)
  for (const portion of portions) expect(portion.calls).toBeLessThanOrEqual(10)
  for (const tenant of [tenants[0]!, tenants[2]!]) expect(await left(tenant)).toEqual({ calls: 5, events: 20 })
  expect(await counted(deps)).toEqual({ calls: 50, events: 200, passed: expect.closeTo(Date.now() / 1000, -2) })

  await calls(tenants[1]!, 3, 200)
  expect(await untilFinished(deps, 10), 'a pass has just been made').toEqual([{ calls: 0, events: 0, finished: true }])
  await store.query(`update hopwhistle.retention set passed_at = passed_at - interval '61 minutes'`)
  await untilFinished(deps, 10)
  expect(await left(tenants[1]!)).toEqual({ calls: 0, events: 0 })
})

test('metrics of what is gone stay as they were', async () => {
  const tenantId = await store.newTenant()
  const ingest = store.ingest()
  const occurredAt = Date.now() - 30 * 24 * 3600 * 1000
  for (const state of ['INITIATED', 'COMPLETED'] as const) {
    await ingest.submit(tenantId, callEvent(state, { callId: 'old', occurredAt }))
  }
  await store.query('select hopwhistle.fold_call_metrics()')
  const before = await foldedRollups(store, tenantId, 'hourly')
  await store.query(
    `update hopwhistle.calls set started_at = started_at - interval '200 days', updated_at = updated_at - interval '200 days'`,
  )
  await untilFinished(retention(), 10)
  expect(await left(tenantId)).toEqual({ calls: 0, events: 0 })
  expect(await foldedRollups(store, tenantId, 'hourly')).toEqual(before)
  expect(Object.keys(before)).toHaveLength(1)
})

test('an old call that an event has come for lately stays whole, also when it comes at that moment', async () => {
  const tenantId = await store.newTenant()
  await calls(tenantId, 3, 200)
  const ingest = store.ingest()
  await ingest.submit(tenantId, callEvent('BUSY', { callId: '200 days ago 1' }))

  // Another session is writing the second one, and has not committed.
  const writing = await connectPostgres(store.database.ownerUrl)
  await writing.query('begin')
  await writing.query(`update hopwhistle.calls set updated_at = now() where call_id = '200 days ago 2'`)
  const portions = await untilFinished(retention(), 10)
  await writing.query('commit')
  expect(portions.reduce((sum, portion) => sum + portion.calls, 0)).toBe(1)
  expect([...(await store.calls(tenantId)).keys()].sort()).toEqual(['200 days ago 1', '200 days ago 2'])
  expect(await left(tenantId)).toEqual({ calls: 2, events: 9 })
})

test('more old calls of one moment than a portion has room for do not hold it up', async () => {
  const tenantId = await store.newTenant()
  await calls(tenantId, 30, 200)
  await store.query(`update hopwhistle.calls set updated_at = now()`)
  await calls(tenantId, 4, 150)
  await untilFinished(retention(), 10)
  expect(await left(tenantId)).toEqual({ calls: 30, events: 120 })
})

test('several instances share one pass; one that finds another at work leaves it to that one', async () => {
  const tenantId = await store.newTenant()
  await calls(tenantId, 400, 200)
  const instances = Array.from({ length: 3 }, () => retention({ lookEveryMs: 10 }))
  const running = instances.map(startRetention)
  await waitUntil('all old calls to be gone', async () => (await left(tenantId))?.calls === 0, { timeoutMs: 15_000 })
  await Promise.all(running.map(({ stop }) => stop()))
  const sums = await Promise.all(instances.map(counted))
  expect(sums.reduce((sum, { calls = 0 }) => sum + calls, 0)).toBe(400)

  const holder = await connectPostgres(store.database.ownerUrl)
  await holder.query('begin')
  await holder.query('update hopwhistle.retention set passed_at = null')
  await calls(tenantId, 1, 200)
  expect(await forgetPortion(retention())).toEqual({ calls: 0, events: 0, finished: true })
  await holder.query('commit')
  expect(await forgetPortion(retention())).toMatchObject({ calls: 1, events: 4 })
})

test('0 days keeps everything for ever, but of a tenant that has its own', async () => {
  const [keeping, forgetting] = [await store.newTenant(), await store.newTenant()]
  for (const tenant of [keeping, forgetting]) await calls(tenant, 1, 20_000)
  await store.query('update hopwhistle.tenants set retention_days = 100 where id = $1', [forgetting])
  await untilFinished(retention({ keepDays: 0 }), 10)
  expect(await left(keeping)).toEqual({ calls: 1, events: 4 })
  expect(await left(forgetting)).toEqual({ calls: 0, events: 0 })
})

test('each tenant keeps its calls for as long as it says', async () => {
  const [usual, longer, forEver, shorter] = await Promise.all(Array.from({ length: 4 }, store.newTenant))
  for (const tenant of [usual, longer, forEver, shorter]) await calls(tenant!, 2, 150)
  const days = { [longer!]: 200, [forEver!]: 0, [shorter!]: 120 }
  for (const [tenant, kept] of Object.entries(days)) {
    await store.query('update hopwhistle.tenants set retention_days = $2 where id = $1', [tenant, kept])
  }
  await untilFinished(retention({ keepDays: 180 }), 10)
  expect(
    await Promise.all([usual, longer, forEver, shorter].map(async (tenant) => (await left(tenant!))?.calls)),
  ).toEqual([2, 2, 2, 0])
})

test('rollups stay for ever, but of a tenant that says for how long: then whole days go, hours and days alike', async () => {
  const [keeping, forgetting] = [await store.newTenant(), await store.newTenant()]
  for (const [table, column] of [
    ['hourly', 'hour'],
    ['daily', 'day'],
  ]) {
    // More hours than one portion deletes.
    await store.query(
      `insert into hopwhistle.call_metrics_${table}
       select tenant, at, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, null, null, null, null, null, null, '{}', '{}', '{}', '{}'
       from unnest($1::uuid[]) as tenant,
         generate_series(date_trunc('day', now(), 'UTC') - interval '150 days', now(), interval '1 ${column}') as at`,
      [[keeping, forgetting]],
    )
  }
  await store.query(
    `insert into hopwhistle.call_metrics_quarterly
     select tenant, at, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
     from unnest($1::uuid[]) as tenant,
       generate_series(date_trunc('day', now(), 'UTC') - interval '150 days', now(), interval '15 minutes') as at`,
    [[keeping, forgetting]],
  )
  await store.query('update hopwhistle.tenants set rollup_retention_days = 91 where id = $1', [forgetting])
  await untilFinished(retention(), 10)
  const kept = (tenant: string) =>
    store.query(
      `select min(hour) = min(day) and min(hour) = (
           select min(quarter) from hopwhistle.call_metrics_quarterly q where q.tenant_id = $1) as same, min(day) = date_trunc('day', now() - interval '91 days', 'UTC') as from_there
       from hopwhistle.call_metrics_hourly h full join hopwhistle.call_metrics_daily d using (tenant_id)
       where tenant_id = $1`,
      [tenant],
    )
  expect(await kept(forgetting)).toEqual([{ same: true, from_there: true }])
  expect(await kept(keeping)).toEqual([{ same: true, from_there: false }])
})

test('events that come while old calls go wait for nothing, and all are stored', async () => {
  const tenantId = await store.newTenant()
  await calls(tenantId, 1_000, 200)
  const ingest = store.ingest()
  const running = startRetention(retention({ lookEveryMs: 1 }))
  let sent = 0
  await waitUntil(
    'all old calls to be gone',
    async () => {
      // Also events of the very calls that are going.
      const events = ['BUSY', 'FAILED'].map((state, i) =>
        callEvent(state as 'BUSY' | 'FAILED', { callId: i === 0 ? `200 days ago ${++sent}` : `new ${sent}` }),
      )
      const receipts = await Promise.all(events.map((event) => ingest.submit(tenantId, event)))
      expect(receipts[1]).toMatchObject({ outcome: 'applied' })
      const [{ old } = { old: -1 }] = await store.query<{ old: number }>(
        `select count(*)::int as old from hopwhistle.calls where updated_at < now() - interval '100 days'`,
      )
      return old === 0
    },
    { timeoutMs: 15_000, everyMs: 1 },
  )
  await running.stop()
  const [{ orphans, stored } = { orphans: -1, stored: -1 }] = await store.query<{ orphans: number; stored: number }>(
    `select count(*) filter (where c.call_id is null)::int as orphans,
       count(*) filter (where e.received_at > now() - interval '1 hour')::int as stored
     from hopwhistle.call_events e left join hopwhistle.calls c using (tenant_id, call_id)`,
  )
  expect({ orphans, stored }).toEqual({ orphans: 0, stored: 2 * sent })
})
