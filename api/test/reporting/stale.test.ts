import { CALL_STATES, STALE_AFTER_HOURS } from '@hopwhistle/contract/calls.ts'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Platform, Tenant, TestEvent } from './reporting-platform.ts'
import { startPlatform } from './reporting-platform.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
let platform: Platform
beforeAll(async () => {
  platform = await startPlatform()
})
afterAll(() => platform.close())

const iso = (ms: number) => new Date(ms).toISOString()
const fullHour = (ms: number) => Math.floor(ms / HOUR_MS) * HOUR_MS
const after = (tenant: Tenant, hours: number | null) =>
  platform.owner.query('update hopwhistle.tenants set stale_after_hours = $2 where id = $1', [tenant.tenantId, hours])
const staleOf = async (tenant: Tenant, callId: string, position: string) => {
  const { body } = await tenant.ask(`/api/v1/calls/${callId}?position=${position}`)
  return [body.call.state, body.call.stale]
}

test('a call that has not ended is stale from the full hour on after its time, and a later event ends it as ever', async () => {
  const tenant = await platform.newTenant()
  const before = fullHour(Date.now()) - STALE_AFTER_HOURS * HOUR_MS
  const events: TestEvent[] = [
    { callId: 'old', state: 'ANSWERED', atMs: before - 1 },
    { callId: 'young', state: 'ANSWERED', atMs: before },
    { callId: 'ended', state: 'COMPLETED', atMs: before - 1 },
  ]
  const position = await tenant.post(...events)
  expect(await staleOf(tenant, 'old', position)).toEqual(['ANSWERED', true])
  expect(await staleOf(tenant, 'young', position)).toEqual(['ANSWERED', false])
  expect(await staleOf(tenant, 'ended', position)).toEqual(['COMPLETED', false])
  const totals = async (at: string) => {
    const { body } = await tenant.metrics({
      granularity: 'hour',
      from: iso(before - HOUR_MS),
      to: iso(Date.now()),
      position: at,
    })
    return [body.totals.stale, body.totals.states.ANSWERED, body.buckets[0].stale, body.buckets[1].stale]
  }
  expect(await totals(position), 'stale calls are counted by their state as well').toEqual([1, 2, 1, 0])
  const later = await tenant.post({ callId: 'old', state: 'COMPLETED', atMs: Date.now() })
  expect(await staleOf(tenant, 'old', later)).toEqual(['COMPLETED', false])
  expect(await totals(later)).toEqual([0, 1, 0, 0])
})

test('a tenant has a time of its own, which holds at once', async () => {
  const [tenant, other] = [await platform.newTenant(), await platform.newTenant()]
  const event = { callId: 'c', state: 'RINGING', atMs: Date.now() - 6 * HOUR_MS } as const
  await other.post(event)
  await tenant.post(event)
  await after(tenant, 4)
  const position = await tenant.post({ callId: 'now', state: 'RINGING', atMs: Date.now() })
  expect(await staleOf(tenant, 'c', position)).toEqual(['RINGING', true])
  expect(await staleOf(other, 'c', position)).toEqual(['RINGING', false])
  expect((await tenant.calls({ stale: 'true', position })).body.calls).toMatchObject([{ callId: 'c' }])
  expect((await other.calls({ stale: 'true', position })).body.calls).toEqual([])
  await expect(after(tenant, 0)).rejects.toMatchObject({ code: '23514' })
})

test('what is stale is the same in lists and metrics, for any events in any order, folded or not', async () => {
  const event = fc.record({
    call: fc.integer({ min: 0, max: 25 }),
    state: fc.constantFrom(...CALL_STATES.slice(0, 4)),
    hour: fc.integer({ min: -60, max: -1 }),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 50 }),
      async (events, hours) => {
        const tenant = await platform.newTenant()
        await after(tenant, hours)
        const base = fullHour(Date.now())
        const batch = (part: typeof events): TestEvent[] =>
          part.map(({ call, state, hour }) => ({ callId: `c${call}`, state, atMs: base + hour * HOUR_MS + 1_000 }))
        const half = Math.floor(events.length / 2)
        if (half > 0) await tenant.post(...batch(events.slice(0, half)))
        await platform.owner.query('select hopwhistle.fold_call_metrics()')
        const position = await tenant.post(...batch(events.slice(half)))
        const { calls } = (await tenant.calls({ limit: '200', position })).body
        const expected = new Map<string, number>()
        const staleStarts: number[] = []
        for (const call of calls) {
          const startedMs = Date.parse(call.startedAt)
          const stale = call.endedAt === null && startedMs < base - hours * HOUR_MS
          expect(call.stale).toBe(stale)
          if (!stale) continue
          staleStarts.push(startedMs)
          for (const at of [fullHour(startedMs), `day ${Math.floor(startedMs / DAY_MS) * DAY_MS}`, 'all'])
            expected.set(String(at), (expected.get(String(at)) ?? 0) + 1)
        }
        for (const granularity of ['hour', 'day']) {
          const from = iso(Math.floor(base / DAY_MS) * DAY_MS - 4 * DAY_MS)
          const { body } = await tenant.metrics({ granularity, from, to: iso(base), position })
          for (const { start, stale } of body.buckets) {
            const at = Date.parse(start)
            expect(stale, `${granularity} ${start}`).toBe(
              expected.get(granularity === 'hour' ? String(at) : `day ${at}`) ?? 0,
            )
          }
          expect(body.totals.stale).toBe(expected.get('all') ?? 0)
        }
        for (const query of [
          { granularity: 'hour', timezone: 'Asia/Kolkata' },
          { granularity: 'day', timezone: 'Asia/Kathmandu' },
          { granularity: 'day', timezone: 'America/New_York', groupBy: 'state' },
          { granularity: 'hour', groupBy: 'direction' },
        ]) {
          const from = iso(Math.floor(base / DAY_MS) * DAY_MS - 4 * DAY_MS)
          const { body } = await tenant.metrics({ ...query, from, to: iso(base), position })
          const starts: number[] = body.buckets.map(({ start }: { start: string }) => Date.parse(start))
          for (const [i, { stale, start }] of body.buckets.entries()) {
            const until = starts[i + 1] ?? Number.POSITIVE_INFINITY
            const inBucket = staleStarts.filter((at) => at >= Date.parse(start) && at < until)
            expect(stale, JSON.stringify({ query, start })).toBe(inBucket.length)
          }
          expect(body.totals.stale).toBe(staleStarts.length)
          const inGroups = (body.groups ?? []).map((group: { stale: number }) => group.stale)
          if ('groupBy' in query) expect(inGroups.reduce((a: number, b: number) => a + b, 0)).toBe(staleStarts.length)
        }
      },
    ),
    { numRuns: 30, interruptAfterTimeLimit: 30_000 },
  )
}, 60_000)

test('what became of settings is kept, with who did it', async () => {
  const tenant = await platform.newTenant()
  await after(tenant, 4)
  await platform.owner.query(
    `with who as (select set_config('hopwhistle.by_whom', 'ops@host', true))
     update hopwhistle.tenants set stale_after_hours = null, events_per_second = 7 from who where id = $1`,
    [tenant.tenantId],
  )
  await platform.owner.query('update hopwhistle.tenants set events_per_second = 7 where id = $1', [tenant.tenantId])
  const { rows } = await platform.owner.query(
    'select setting, was, became, by_whom from hopwhistle.tenant_audit where tenant_id = $1 order by id',
    [tenant.tenantId],
  )
  expect(rows).toHaveLength(3)
  expect(rows).toEqual(
    expect.arrayContaining([
      { setting: 'stale_after_hours', was: null, became: '4', by_whom: null },
      { setting: 'stale_after_hours', was: '4', became: null, by_whom: 'ops@host' },
      { setting: 'events_per_second', was: null, became: '7', by_whom: 'ops@host' },
    ]),
  )
})

test('the last thousand changes of each setting are kept, and one that changes often pushes out no other', async () => {
  const tenant = await platform.newTenant()
  await after(tenant, 4)
  await platform.owner.query(
    `do $$ begin
       for n in 1..1010 loop
         update hopwhistle.tenants set events_per_second = n where id = '${tenant.tenantId}';
       end loop;
     end $$`,
  )
  const { rows } = await platform.owner.query(
    `select setting, count(*)::integer as changes, max(became) filter (where became = '1010') as last
     from hopwhistle.tenant_audit where tenant_id = $1 group by setting order by setting`,
    [tenant.tenantId],
  )
  expect(rows).toEqual([
    { setting: 'events_per_second', changes: 1_000, last: '1010' },
    { setting: 'stale_after_hours', changes: 1, last: null },
  ])
})
