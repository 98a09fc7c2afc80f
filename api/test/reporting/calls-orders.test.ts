import { CALL_DIRECTIONS, CALL_STATES } from '@hopwhistle/contract/calls.ts'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CALLS_ORDERS } from '../../src/reporting/calls-order.ts'
import type { Platform, Tenant, TestEvent } from './reporting-platform.ts'
import { startPlatform } from './reporting-platform.ts'

let platform: Platform
beforeAll(async () => {
  platform = await startPlatform()
})
afterAll(() => platform.close())

type Call = {
  readonly callId: string
  readonly state: string
  readonly direction: string | null
  readonly from: string | null
  readonly to: string | null
  readonly startedAt: string
  readonly answeredAt: string | null
  readonly endedAt: string | null
  readonly talkMs: number | null
  readonly durationMs: number | null
  readonly stale: boolean
}

async function walk(tenant: Tenant, query: Record<string, string>): Promise<{ calls: Call[]; pages: number }> {
  const calls: Call[] = []
  let cursor: string | null = null
  let pages = 0
  do {
    const { status, body } = await tenant.calls({ ...query, ...(cursor === null ? {} : { cursor }) })
    expect(status, JSON.stringify(body)).toBe(200)
    calls.push(...body.calls)
    cursor = body.nextCursor
    pages += 1
  } while (cursor !== null)
  return { calls, pages }
}

const ids = (calls: readonly Call[]) => calls.map(({ callId }) => callId)
const HOUR_MS = 3_600_000

/** The value of what a list is ordered by, as a number. */
const keyOf = (call: Call, field: string): number | null => {
  if (field === 'talkMs') return call.talkMs
  const time = field === 'startedAt' ? call.startedAt : call.endedAt
  return time === null ? null : Date.parse(time)
}

function inOrder(calls: readonly Call[], order: string): readonly Call[] {
  const field = order.replace('-', '')
  const sign = order.startsWith('-') ? -1 : 1
  return calls
    .filter((call) => keyOf(call, field) !== null)
    .toSorted((a, b) => {
      const [x, y] = [keyOf(a, field) as number, keyOf(b, field) as number]
      return sign * (x === y ? (a.callId < b.callId ? -1 : 1) : x - y)
    })
}

test('every order and every filter lists exactly the calls that match, in order, page by page; and counts them', async () => {
  const tenant = await platform.newTenant()
  const at = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 26 * HOUR_MS
  const pick = <T>(items: readonly T[], i: number) => items[i % items.length] as T
  const events: TestEvent[] = Array.from({ length: 300 }, (_, i) => i).flatMap((i) => {
    const call = {
      callId: `c${i}`,
      ...pick([{}, { direction: 'inbound' }, { direction: 'outbound' }] as const, i * 5 + Math.floor(i / 13)),
      ...pick([{}, { from: '+100' }, { from: '+200' }] as const, Math.floor(i / 3)),
      ...pick([{}, { to: '+100' }, { to: '+300' }] as const, Math.floor(i / 7)),
    }
    // Some of the hour before the one from which on calls are not stale yet, and some after it.
    const atMs = at + (i % 60) * 4 * 60_000
    const final = pick(CALL_STATES.slice(2), i * 7)
    return [
      { ...call, state: 'INITIATED' as const, atMs },
      ...(i % 3 === 0 ? [] : [{ ...call, state: 'ANSWERED' as const, atMs: atMs + 2_000 }]),
      ...(final === 'ANSWERED' ? [] : [{ ...call, state: final, atMs: atMs + 2_000 + (i % 11) * 1_000 }]),
    ]
  })
  let position = ''
  for (let i = 0; i < events.length; i += 500) position = await tenant.post(...events.slice(i, i + 500))
  const all = (await walk(tenant, { limit: '200', position })).calls
  expect(all).toHaveLength(300)
  const before = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 24 * HOUR_MS
  for (const call of all) {
    expect(call.stale).toBe(call.endedAt === null && Date.parse(call.startedAt) < before)
    expect(call.durationMs).toBe(call.endedAt === null ? null : Date.parse(call.endedAt) - Date.parse(call.startedAt))
  }
  expect(new Set(all.map(({ stale }) => stale)).size).toBe(2)

  const optional = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined, freq: 2 })
  const ms = fc.integer({ min: 0, max: 12_000 })
  const query = fc.record({
    state: optional(fc.constantFrom(...CALL_STATES)),
    direction: optional(fc.constantFrom(...CALL_DIRECTIONS)),
    fromNumber: optional(fc.constantFrom('+100', '+200', '+9')),
    toNumber: optional(fc.constantFrom('+300')),
    startedFrom: optional(fc.integer({ min: 0, max: 120 }).map((m) => new Date(at + m * 60_000).toISOString())),
    startedTo: optional(fc.integer({ min: 121, max: 240 }).map((m) => new Date(at + m * 60_000).toISOString())),
    answered: optional(fc.constantFrom('true', 'false')),
    stale: optional(fc.constantFrom('true', 'false')),
    talkMinMs: optional(ms),
    talkMaxMs: optional(fc.integer({ min: 12_000, max: 12_001 })),
    durationMinMs: optional(ms),
    durationMaxMs: optional(fc.integer({ min: 12_000, max: 15_000 })),
    order: optional(fc.constantFrom(...CALLS_ORDERS)),
  })
  await fc.assert(
    fc.asyncProperty(query, fc.constantFrom('7', '60'), async (asked, limit) => {
      const given = Object.fromEntries(
        Object.entries(asked).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
      )
      const within = (value: number | null, least = -1, most = Number.POSITIVE_INFINITY) =>
        (least === -1 && most === Number.POSITIVE_INFINITY) || (value !== null && value >= least && value <= most)
      const matching = all.filter(
        (call) =>
          (asked.state === undefined || call.state === asked.state) &&
          (asked.direction === undefined || call.direction === asked.direction) &&
          (asked.fromNumber === undefined || call.from === asked.fromNumber) &&
          (asked.toNumber === undefined || call.to === asked.toNumber) &&
          (asked.startedFrom === undefined || Date.parse(call.startedAt) >= Date.parse(asked.startedFrom)) &&
          (asked.startedTo === undefined || Date.parse(call.startedAt) < Date.parse(asked.startedTo)) &&
          (asked.answered === undefined || String(call.answeredAt !== null) === asked.answered) &&
          (asked.stale === undefined || String(call.stale) === asked.stale) &&
          within(call.talkMs, asked.talkMinMs, asked.talkMaxMs) &&
          within(call.durationMs, asked.durationMinMs, asked.durationMaxMs),
      )
      const expected = inOrder(matching, asked.order ?? '-startedAt')
      const found = await walk(tenant, { ...given, limit })
      expect(ids(found.calls)).toEqual(ids(expected))
      for (const count of ['exact', 'estimate']) {
        const { body } = await tenant.calls({ ...given, limit: '1', count })
        expect(body.count).toEqual({ value: expected.length, is: 'exact' })
      }
    }),
    { numRuns: 250, interruptAfterTimeLimit: 40_000 },
  )
}, 90_000)

test('what was asked for wrongly is said, and a cursor belongs to its order', async () => {
  const tenant = await platform.newTenant()
  const at = Date.now() - 60_000
  const position = await tenant.post(
    ...Array.from({ length: 5 }, (_, i) => ({ callId: `c${i}`, state: 'COMPLETED' as const, atMs: at + i })),
  )
  const { body } = await tenant.calls({ limit: '2', order: '-endedAt', position })
  expect(ids(body.calls)).toEqual(['c4', 'c3'])
  const next = await tenant.calls({ limit: '2', order: '-endedAt', cursor: body.nextCursor })
  expect(ids(next.body.calls)).toEqual(['c2', 'c1'])
  for (const query of [{}, { order: 'endedAt' }, { order: '-startedAt' }]) {
    expect((await tenant.calls({ ...query, cursor: body.nextCursor })).body.code).toBe('invalid-cursor')
  }
  const wrong: readonly [Record<string, string>, string][] = [
    [{ order: 'callId' }, 'order is "callId"; it may be -startedAt, startedAt, -endedAt, endedAt, -talkMs, talkMs'],
    [{ answered: 'yes' }, 'answered is "yes"; it may be true, false'],
    [{ count: 'all' }, 'count is "all"; it may be exact, estimate, none'],
    [{ talkMinMs: '-1' }, 'talkMinMs is "-1"; it may be a whole number from 0 to 8640000000'],
    [{ talkMinMs: '5', talkMaxMs: '4' }, 'talkMaxMs is 4; it may not be less than talkMinMs, which is 5'],
  ]
  for (const [query, detail] of wrong) {
    expect(await tenant.calls(query), detail).toMatchObject({ status: 400, body: { code: 'invalid-request', detail } })
  }
})

test('a page of what no index has ends after so many rows, with a cursor that goes on; a count says where it ended', async () => {
  const tenant = await platform.newTenant()
  await platform.owner.query(
    `insert into hopwhistle.calls (tenant_id, call_id, state, direction, from_number, started_at, answered_at, ended_at, talk_ms, updated_at)
     select $1, 'call-' || i, 3, 0, '+1', at, case when i % 20000 = 7 then at end, at + interval '1 minute',
       case when i % 20000 = 7 then 60000 end, now()
     from (select i, now() - i * interval '1 second' as at from generate_series(1, 120000) as i) c`,
    [tenant.tenantId],
  )
  await platform.owner.query('vacuum analyze hopwhistle.calls')
  const { rows } = await platform.owner.query('select pg_current_wal_flush_lsn()::text as lsn')
  expect(rows).toHaveLength(1)
  const position = await tenant.post({ callId: 'now', state: 'RINGING', atMs: Date.now() })
  for (const query of [
    { answered: 'true' },
    { answered: 'true', fromNumber: '+1' },
    { talkMinMs: '60000', order: 'endedAt' },
  ]) {
    const { calls, pages } = await walk(tenant, { ...query, position } as Record<string, string>)
    expect(new Set(ids(calls))).toEqual(new Set([7, 20007, 40007, 60007, 80007, 100007].map((i) => `call-${i}`)))
    expect(calls).toHaveLength(6)
    expect(pages).toBeGreaterThan(10)
  }
  const count = async (query: Record<string, string>) =>
    (await tenant.calls({ limit: '1', ...query, position })).body.count
  expect(await count({ count: 'exact' })).toEqual({ value: 100_001, is: 'at-least' })
  expect(await count({ count: 'exact', startedFrom: new Date(Date.now() - 86_400_000).toISOString() })).toMatchObject({
    is: 'exact',
  })
  expect(await count({})).toBeUndefined()
  expect(await count({ count: 'none' })).toBeUndefined()
})

test('an estimate is near what there is, for one tenant of several', async () => {
  const [tenant, other] = [await platform.newTenant(), await platform.newTenant()]
  const at = Date.now() - 20 * HOUR_MS
  for (const [of, calls] of [
    [tenant, 6_000],
    [other, 3_000],
  ] as const) {
    for (let i = 0; i < calls; i += 500) {
      await of.post(
        ...Array.from({ length: 500 }, (_, j) => ({
          callId: `c${i + j}`,
          state: (i + j) % 4 === 0 ? ('FAILED' as const) : ('COMPLETED' as const),
          direction: (i + j) % 2 === 0 ? ('inbound' as const) : ('outbound' as const),
          from: (i + j) % 3 === 0 ? '+1' : `+2${(i + j) % 50}`,
          atMs: at + (i + j) * 1_000,
        })),
      )
    }
  }
  await platform.owner.query('analyze hopwhistle.calls')
  for (let i = 0; i < 20; i++) await platform.owner.query('select hopwhistle.fold_call_metrics()')
  const position = await tenant.post({ callId: 'last', state: 'RINGING', atMs: Date.now() })
  const estimate = async (query: Record<string, string>) => {
    const { body } = await tenant.calls({ limit: '1', count: 'estimate', position, ...query })
    expect(body.count.is).toBe('estimate')
    return body.count.value as number
  }
  expect(Math.abs((await estimate({})) - 6_000)).toBeLessThan(600)
  expect(Math.abs((await estimate({ direction: 'inbound' })) - 3_000)).toBeLessThan(900)
  expect(Math.abs((await estimate({ state: 'COMPLETED' })) - 4_500)).toBeLessThan(1_350)
})
