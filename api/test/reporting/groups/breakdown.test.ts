import { CALL_DIRECTIONS, CALL_STATES } from '@hopwhistle/contract/calls.ts'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Platform, startPlatform, type Tenant, type TestEvent } from '../reporting-platform.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
let platform: Platform
beforeAll(async () => {
  platform = await startPlatform({ env: { REPORT_CALLS_MAX: '1000' } })
})
afterAll(() => platform.close())

const iso = (ms: number) => new Date(ms).toISOString()
const BASE = Math.floor(Date.now() / DAY) * DAY - 4 * DAY

/** The test's own timeout would end it without the counterexample found so far. */
const WITHIN_THE_TIMEOUT = { interruptAfterTimeLimit: 60_000 }

type Call = {
  readonly id: string
  readonly state: string
  readonly direction: string | null
  readonly from: string | null
  readonly to: string | null
  readonly startedAt: number
  readonly ringMs: number | null
  readonly talkMs: number | null
  readonly connected: boolean
  readonly labels: Readonly<Record<string, string>>
}

async function allCalls(tenant: Tenant): Promise<readonly Call[]> {
  const { rows } = await platform.owner.query(
    `select *, hopwhistle.elapsed_ms(least(initiated_at, ringing_at), answered_at)::int as ring_ms,
       hopwhistle.elapsed_ms(answered_at, ended_at)::int as talk_ms
     from hopwhistle.calls where tenant_id = $1`,
    [tenant.tenantId],
  )
  return rows.map((row) => ({
    id: row.call_id,
    state: CALL_STATES[row.state] as string,
    direction: row.direction === null ? null : (CALL_DIRECTIONS[row.direction] as string),
    from: row.from_number,
    to: row.to_number,
    startedAt: row.started_at.getTime(),
    ringMs: row.ring_ms,
    talkMs: row.talk_ms,
    connected: row.answered_at !== null,
    labels: row.labels ?? {},
  }))
}

type Query = Readonly<Record<string, string>>

/** Whether a call is asked for, but for when it started. */
function matches(call: Call, { state, direction, fromNumber, toNumber, label }: Query): boolean {
  const [name = '', value = ''] = (label ?? '').split(':')
  return (
    (state === undefined || call.state === state) &&
    (direction === undefined || call.direction === direction) &&
    (fromNumber === undefined || call.from === fromNumber) &&
    (toNumber === undefined || call.to === toNumber) &&
    (label === undefined || (call.labels[name] ?? '') === value)
  )
}

const keyOf = (call: Call, groupBy: string): string | null =>
  groupBy.startsWith('label:')
    ? (call.labels[groupBy.slice(6)] ?? null)
    : (call[groupBy as 'from' | 'to' | 'state' | 'direction'] ?? null)

/** Calls that are the first of their caller, of all calls. */
function firstCalls(all: readonly Call[]): ReadonlySet<Call> {
  const callers = Map.groupBy(all.filter(isOfCaller), ({ from }) => from)
  const earlier = (a: Call, b: Call) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1)
  return new Set([...callers.values()].map((calls) => calls.toSorted(earlier)[0] as Call))
}
const isOfCaller = ({ from, direction }: Call) => from !== null && direction !== 'outbound'

/** What is said of some calls, but for percentiles: counted one after the other. */
function measured(calls: readonly Call[], firsts: ReadonlySet<Call>) {
  const duration = (of: 'ringMs' | 'talkMs') => {
    const known = calls.map((call) => call[of]).filter((ms) => ms !== null)
    const average = known.reduce((sum, ms) => sum + ms, 0) / known.length
    return { count: known.length, averageMs: known.length === 0 ? null : expect.closeTo(average, -0.3) }
  }
  const ofCallers = calls.filter(isOfCaller)
  const firstTime = calls.filter((call) => firsts.has(call)).length
  return {
    calls: calls.length,
    connected: calls.filter(({ connected }) => connected).length,
    inbound: calls.filter(({ direction }) => direction === 'inbound').length,
    outbound: calls.filter(({ direction }) => direction === 'outbound').length,
    states: Object.fromEntries(CALL_STATES.map((s) => [s, calls.filter(({ state }) => state === s).length])),
    ring: duration('ringMs'),
    talk: duration('talkMs'),
    callers: { firstTime, repeat: ofCallers.length - firstTime },
  }
}

const event = fc.record(
  {
    call: fc.nat(30),
    state: fc.constantFrom(...CALL_STATES),
    offsetMs: fc.integer({ min: -2 * HOUR, max: 30 * HOUR }),
    direction: fc.constantFrom(...CALL_DIRECTIONS),
    from: fc.constantFrom('+1', '+2', '+3', 'sip:a,"b'),
    to: fc.constantFrom('+1', '+4'),
    labels: fc.record(
      { campaign: fc.constantFrom('a', 'b', 'c', 'd,"e'), agent: fc.constantFrom('x', 'y') },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['call', 'state', 'offsetMs'] },
)
const GROUP_BY = ['direction', 'state', 'from', 'to', 'label:campaign', 'label:agent'] as const
const filter = fc.record(
  {
    state: fc.constantFrom(...CALL_STATES),
    direction: fc.constantFrom(...CALL_DIRECTIONS),
    fromNumber: fc.constantFrom('+1', '+9'),
    toNumber: fc.constantFrom('+1', '+4'),
    label: fc.constantFrom('campaign:a', 'campaign:', 'agent:x', 'campaign:d,"e', 'agent:nobody'),
  },
  { requiredKeys: [] },
)

test('groups are what the calls say, with any filter, in any range; they add up to the whole', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { minLength: 1, maxLength: 100 }),
      fc.array(fc.tuple(filter, fc.constantFrom(...GROUP_BY), fc.constantFrom(1, 2, 100)), {
        minLength: 4,
        maxLength: 4,
      }),
      async (events, questions) => {
        const tenant = await platform.newTenant()
        const position = await tenant.post(
          ...events.map(
            ({ call, offsetMs, ...rest }): TestEvent => ({ ...rest, callId: `c${call}`, atMs: BASE + offsetMs }),
          ),
        )
        const all = await allCalls(tenant)
        const firsts = firstCalls(all)
        for (const [given, groupBy, limit] of questions) {
          for (const [granularity, fromMs, toMs] of [
            ['hour', BASE - HOUR, BASE + 20 * HOUR],
            ['day', BASE - DAY, BASE + 2 * DAY],
          ] as const) {
            const query = { granularity, from: iso(fromMs), to: iso(toMs), ...given }
            const { status, body } = await tenant.metrics({
              ...query,
              groupBy,
              limit: String(limit),
              include: 'callers',
              position,
            })
            expect(status, JSON.stringify(body)).toBe(200)
            const found = all.filter((c) => matches(c, given) && c.startedAt >= fromMs && c.startedAt < toMs)
            const bucketMs = granularity === 'hour' ? HOUR : DAY
            const distinct = (calls: readonly Call[]) => new Set(calls.filter(isOfCaller).map(({ from }) => from)).size
            const start = ({ startedAt }: Call) => `${iso(Math.floor(startedAt / bucketMs) * bucketMs).slice(0, 19)}Z`

            expect(body.totals).toMatchObject(measured(found, firsts))
            expect(body.totals.callers.distinct).toBe(distinct(found))
            const byStart = Map.groupBy(found, start)
            expect(body.buckets).toHaveLength((toMs - fromMs) / bucketMs)
            for (const bucket of body.buckets) {
              expect(bucket).toMatchObject(measured(byStart.get(bucket.start) ?? [], firsts))
            }

            const kinds = [...Map.groupBy(found, (call) => keyOf(call, groupBy))]
            const inOrder = kinds.toSorted(
              ([a, as], [b, bs]) => bs.length - as.length || (codeOf(a, groupBy) < codeOf(b, groupBy) ? -1 : 1),
            )
            const rest = inOrder.slice(limit).flatMap(([, calls]) => calls)
            const groups = [
              ...inOrder
                .slice(0, limit)
                .map(([key, calls]) => ({ name: { group: key === null ? 'none' : 'value', key }, calls })),
              ...(rest.length === 0
                ? []
                : [{ name: { group: 'rest', key: null, groups: kinds.length - limit }, calls: rest }]),
            ]
            expect(body.groups).toHaveLength(groups.length)
            groups.forEach(({ name, calls }, i) => {
              const group = body.groups[i]
              expect(group).toMatchObject({ ...name, ...measured(calls, firsts) })
              expect(group.callers.distinct).toBe(distinct(calls))
              const cells = [...Map.groupBy(calls, start)].toSorted(([a], [b]) => (a < b ? -1 : 1))
              expect(group.buckets.map((cell: { start: string }) => cell.start)).toEqual(cells.map(([at]) => at))
              for (const [n, [, those]] of cells.entries()) {
                expect(group.buckets[n]).toMatchObject(measured(those, firsts))
              }
            })
            for (const count of ['calls', 'connected', 'inbound', 'outbound'] as const) {
              const sum = body.groups.reduce(
                (total: number, group: Record<string, number>) => total + (group[count] ?? 0),
                0,
              )
              expect(sum).toBe(body.totals[count])
            }
          }
        }
      },
    ),
    { ...WITHIN_THE_TIMEOUT, numRuns: 40 },
  )
})

/** By what groups of one size are sorted: states and directions by their code. */
function codeOf(key: string | null, groupBy: string): string {
  if (key === null) return ''
  if (groupBy === 'state') return String(CALL_STATES.indexOf(key as (typeof CALL_STATES)[number]))
  return groupBy === 'direction' ? String(CALL_DIRECTIONS.indexOf(key as (typeof CALL_DIRECTIONS)[number])) : key
}

test('of all calls, what is read from them is to the letter what rollups say, percentiles too', async () => {
  const tenant = await platform.newTenant()
  const position = await tenant.post(
    ...Array.from({ length: 150 }, (_, i) =>
      (['INITIATED', 'ANSWERED', 'COMPLETED'] as const).map((state, step) => ({
        callId: `c${i}`,
        state,
        atMs: BASE + (i % 30) * HOUR + step * (i * i * 7 + 1),
      })),
    ).flat(),
  )
  const range = { granularity: 'hour', from: iso(BASE), to: iso(BASE + 2 * DAY), position }
  const [rollups, read] = await Promise.all([tenant.metrics(range), tenant.metrics({ ...range, groupBy: 'state' })])
  const said = ({ totals, buckets }: { totals: unknown; buckets: unknown }) => JSON.stringify({ totals, buckets })
  expect(said(read.body)).toBe(said(rollups.body))
  const { buckets: _, group, key, ...completed } = read.body.groups[0]
  expect({ group, key, measures: completed }).toEqual({
    group: 'value',
    key: 'COMPLETED',
    measures: rollups.body.totals,
  })
})

test('a caller is new only once, and only if no earlier call is kept, in the range or before', async () => {
  const tenant = await platform.newTenant()
  const call = (callId: string, from: string | undefined, atMs: number, direction?: 'inbound' | 'outbound') => ({
    callId,
    state: 'RINGING' as const,
    atMs,
    ...(from === undefined ? {} : { from }),
    ...(direction === undefined ? {} : { direction }),
  })
  const position = await tenant.post(
    call('known-before', '+1', BASE - DAY),
    call('known-again', '+1', BASE + HOUR),
    call('new', '+2', BASE + HOUR, 'inbound'),
    call('new-again', '+2', BASE + 2 * HOUR, 'inbound'),
    // Of the same millisecond, the lesser id.
    call('twin-b', '+3', BASE + HOUR),
    call('twin-a', '+3', BASE + HOUR),
    // Whom the tenant calls is no caller.
    call('own', '+4', BASE - DAY, 'outbound'),
    call('own-line-calls', '+4', BASE + HOUR, 'inbound'),
    call('anonymous', undefined, BASE + HOUR),
  )
  const day = { granularity: 'day', from: iso(BASE), to: iso(BASE + DAY), include: 'callers', position }
  const { body } = await tenant.metrics(day)
  expect(body.totals).toMatchObject({ calls: 7, callers: { distinct: 4, firstTime: 3, repeat: 3 } })
  // A filter does not make a call the first.
  await platform.owner.query(`update hopwhistle.calls set state = 3 where tenant_id = $1 and call_id = 'new-again'`, [
    tenant.tenantId,
  ])
  const again = await tenant.post(call('later', '+9', BASE + 3 * DAY))
  const completed = await tenant.metrics({ ...day, state: 'COMPLETED', position: again })
  expect(completed.body.totals).toMatchObject({ calls: 1, callers: { distinct: 1, firstTime: 0, repeat: 1 } })
})

async function withCalls(count: number): Promise<Tenant> {
  const tenant = await platform.newTenant()
  await platform.owner.query(
    `insert into hopwhistle.calls (tenant_id, call_id, state, direction, from_number, started_at, updated_at, labels)
     select $1, 'c' || lpad(i::text, 6, '0'), 3, 0, case when i <= 5 then '+1' else '+2' end,
       $3::timestamptz + i * interval '1 second', now(), case when i % 40000 = 5 then '{"campaign":"rare"}'::jsonb end
     from generate_series(1, $2::int) i`,
    [tenant.tenantId, count, iso(BASE)],
  )
  return tenant
}

test('more calls than may be read are refused, also when few of them match; an index that finds few is enough', async () => {
  const tenant = await withCalls(1_001)
  const position = await tenant.post({ callId: 'last', state: 'RINGING', atMs: BASE - DAY })
  const day = { granularity: 'day', from: iso(BASE), to: iso(BASE + DAY), position }
  for (const query of [
    { groupBy: 'from' },
    { label: 'campaign:rare' },
    { direction: 'inbound' },
    { include: 'callers' },
  ]) {
    const { status, body } = await tenant.metrics({ ...day, ...query })
    expect([status, body.code], JSON.stringify(query)).toEqual([422, 'report-too-large'])
    expect(body.detail).toContain('more than 1000 calls')
  }
  expect((await tenant.metrics({ ...day, fromNumber: '+1', groupBy: 'label:campaign' })).body.totals.calls).toBe(5)
  expect(
    (await tenant.metrics({ ...day, to: iso(BASE + HOUR / 4), granularity: 'hour', groupBy: 'from', limit: '1' }))
      .status,
  ).toBe(422)
  // Rollups have no bound.
  expect((await tenant.metrics(day)).status).toBe(200)
})

test('more buckets than an answer may have are refused before anything is read', async () => {
  const tenant = await platform.newTenant()
  const month = { granularity: 'hour', from: iso(BASE - 26 * DAY), to: iso(BASE + 4 * DAY) }
  const { status, body } = await tenant.metrics({ ...month, groupBy: 'from' })
  expect([status, body.code]).toEqual([422, 'report-too-large'])
  expect(body.detail).toBe(
    '11 groups of 720 buckets are 7920; there may be 5000: ask for fewer groups, a shorter range or longer buckets',
  )
  expect((await tenant.metrics({ ...month, groupBy: 'direction' })).status).toBe(200)
  expect((await tenant.metrics({ ...month, groupBy: 'from', limit: '5' })).status).toBe(200)
})

test('a question that cannot be says what it may be', async () => {
  const tenant = await platform.newTenant()
  for (const [query, field] of [
    [{ groupBy: 'campaign' }, 'groupBy'],
    [{ groupBy: 'label:' }, 'groupBy'],
    [{ groupBy: 'label:Campaign' }, 'groupBy'],
    [{ limit: '5' }, 'limit'],
    [{ groupBy: 'from', limit: '101' }, 'limit'],
    [{ label: 'campaign' }, 'label'],
    [{ label: ':x' }, 'label'],
    [{ include: 'everything' }, 'include'],
  ] as const) {
    const { status, body } = await tenant.metrics({ granularity: 'day', ...query })
    expect([status, body.errors?.[0].field], JSON.stringify(query)).toEqual([400, field])
  }
  const twice = await tenant.ask('/api/v1/reporting/metrics?granularity=day&label=campaign:a&label=campaign:b')
  expect(twice).toMatchObject({
    status: 400,
    body: { errors: [{ field: 'label', message: 'is given twice for campaign' }] },
  })
  const both = await tenant.ask('/api/v1/reporting/metrics?granularity=day&label=campaign:a&label=source:b')
  expect(both).toMatchObject({ status: 200, body: { totals: { calls: 0 } } })
})

test('a walk through the calls of a rare label finds each once, though pages may be empty', async () => {
  const tenant = await withCalls(45_000)
  const position = await tenant.post({
    callId: 'last',
    state: 'RINGING',
    atMs: BASE - DAY,
    labels: { campaign: 'rare' },
  })
  for (const [query, expected] of [
    [{ label: 'campaign:rare' }, 3],
    [{ label: 'campaign:rare', direction: 'inbound' }, 2],
    [{ label: 'campaign:rare', fromNumber: '+1' }, 1],
    [{ label: 'campaign:rare', state: 'RINGING' }, 1],
  ] as const) {
    const found: string[] = []
    const sizes: number[] = []
    let cursor: string | null = null
    do {
      const { status, body } = await tenant.calls({
        ...query,
        position,
        limit: '2',
        ...(cursor === null ? {} : { cursor }),
      })
      expect(status).toBe(200)
      found.push(...body.calls.map(({ callId }: { callId: string }) => callId))
      sizes.push(body.calls.length)
      cursor = body.nextCursor
    } while (cursor !== null)
    expect(new Set(found).size, JSON.stringify(query)).toBe(expected)
    expect(found).toHaveLength(expected)
    expect(found).toEqual(
      found
        .toSorted()
        .reverse()
        .toSorted((a, b) => (a === 'last' ? 1 : b === 'last' ? -1 : 0)),
    )
    if (expected === 3) expect(sizes.slice(0, 2)).toEqual([1, 0])
  }
})
