import { Value } from 'typebox/value'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CallsAnswer, MetricsAnswer, TimelineAnswer } from '../../src/reporting/report-schemas.ts'
import type { Platform } from './reporting-platform.ts'
import { startPlatform } from './reporting-platform.ts'

const HOUR = 3_600_000
let platform: Platform
beforeAll(async () => {
  platform = await startPlatform()
})
afterAll(() => platform.close())

/** The start of an hour, some hours ago. */
const hoursAgo = (hours: number) => (Math.floor(Date.now() / HOUR) - hours) * HOUR
const iso = (ms: number) => new Date(ms).toISOString()

test('metrics by the hour count each call once, in the hour it started, with what became of it', async () => {
  const tenant = await platform.newTenant()
  const at = hoursAgo(5)
  const position = await tenant.post(
    { callId: 'a', state: 'INITIATED', atMs: at, direction: 'inbound', from: '+1', to: '+2' },
    { callId: 'a', state: 'ANSWERED', atMs: at + 10_000 },
    { callId: 'a', state: 'COMPLETED', atMs: at + 70_000 },
    { callId: 'b', state: 'INITIATED', atMs: at + 1, direction: 'outbound' },
    { callId: 'b', state: 'BUSY', atMs: at + 2_000 },
    { callId: 'c', state: 'RINGING', atMs: at + HOUR },
  )
  const { status, body } = await tenant.metrics({
    granularity: 'hour',
    from: iso(at - HOUR),
    to: iso(at + 3 * HOUR),
    position,
  })
  expect(status).toBe(200)
  expect(Value.Errors(MetricsAnswer, body)).toEqual([])
  expect(body.buckets.map((b: { calls: number }) => b.calls)).toEqual([0, 2, 1, 0])
  expect(body.buckets[1]).toMatchObject({
    start: iso(at).replace('.000', ''),
    calls: 2,
    connected: 1,
    inbound: 1,
    outbound: 1,
    states: { COMPLETED: 1, BUSY: 1, RINGING: 0 },
    ring: { count: 1, averageMs: 10_000 },
    talk: { count: 1, averageMs: 60_000 },
  })
  for (const part of [body.buckets[1], body.totals]) {
    for (const p of ['p50Ms', 'p95Ms', 'p99Ms']) {
      expect(Math.abs(part.ring[p] / 10_000 - 1)).toBeLessThan(0.011)
      expect(Math.abs(part.talk[p] / 60_000 - 1)).toBeLessThan(0.011)
    }
  }
  expect(body.totals).toMatchObject({ calls: 3, connected: 1, states: { COMPLETED: 1, BUSY: 1, RINGING: 1 } })
  expect(body.buckets[0].ring).toEqual({ count: 0, averageMs: null, p50Ms: null, p95Ms: null, p99Ms: null })
})

test('a tenant without calls gets every bucket, all zero', async () => {
  const tenant = await platform.newTenant()
  for (const granularity of ['hour', 'day'] as const) {
    const { status, body } = await tenant.metrics({ granularity })
    expect(status).toBe(200)
    expect(Value.Errors(MetricsAnswer, body)).toEqual([])
    expect(body.buckets).toHaveLength(granularity === 'hour' ? 24 : 30)
    expect(body.totals.calls).toBe(0)
  }
  const { body } = await tenant.calls()
  expect(Value.Errors(CallsAnswer, body)).toEqual([])
  expect(body).toMatchObject({ calls: [], nextCursor: null })
})

test('a timeline has every event in the order they occurred, late ones marked', async () => {
  const tenant = await platform.newTenant()
  const at = hoursAgo(1)
  await tenant.post({ callId: 'x/ä 1', state: 'COMPLETED', atMs: at + 9_000, eventId: 'e3', metadata: { cost: 0.5 } })
  const position = await tenant.post(
    { callId: 'x/ä 1', state: 'RINGING', atMs: at + 2_000, eventId: 'e2' },
    {
      callId: 'x/ä 1',
      state: 'INITIATED',
      atMs: at + 2_000,
      eventId: 'e1',
      direction: 'inbound',
      from: '+1',
      to: '+2',
    },
  )
  const { status, body } = await tenant.ask(`/api/v1/calls/${encodeURIComponent('x/ä 1')}?position=${position}`)
  expect(status).toBe(200)
  expect(Value.Errors(TimelineAnswer, body)).toEqual([])
  expect(body.call).toMatchObject({
    callId: 'x/ä 1',
    state: 'COMPLETED',
    direction: 'inbound',
    from: '+1',
    to: '+2',
    answeredAt: null,
    talkMs: null,
  })
  expect(Date.parse(body.call.endedAt)).toBe(at + 9_000)
  expect(body.events.map((e: { eventId: string; outcome: string }) => [e.eventId, e.outcome])).toEqual([
    ['e1', 'late'],
    ['e2', 'late'],
    ['e3', 'applied'],
  ])
  expect(body.events[2].metadata).toEqual({ cost: 0.5 })
})

test('a call that is not there answers 404', async () => {
  const tenant = await platform.newTenant()
  expect(await tenant.ask('/api/v1/calls/none')).toMatchObject({ status: 404, body: { code: 'call-not-found' } })
})

test.each([
  ['/api/v1/reporting/metrics', 'granularity', 400],
  ['/api/v1/reporting/metrics?granularity=year', 'granularity', 400],
  ['/api/v1/reporting/metrics?granularity=hour&from=yesterday', 'from', 400],
  ['/api/v1/reporting/metrics?granularity=hour&from=2026-02-30T00:00:00Z', 'from', 400],
  ['/api/v1/reporting/metrics?granularity=hour&from=2026-01-01T00:00:00Z&to=2026-04-04T00:00:00Z', 'from', 422],
  ['/api/v1/reporting/metrics?granularity=day&from=2024-01-01T00:00:00Z&to=2026-04-04T00:00:00Z', 'from', 422],
  ['/api/v1/reporting/metrics?granularity=day&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', 'from', 422],
  ['/api/v1/reporting/metrics?granularity=day&to=0000-01-01T00:00:00Z', 'to', 422],
  ['/api/v1/reporting/metrics?granularity=day&granularity=hour', 'granularity', 400],
  ['/api/v1/reporting/metrics?granularity=day&until=now', 'until', 400],
  ['/api/v1/reporting/metrics?granularity=day&position=12', 'position', 400],
  ['/api/v1/reporting/calls?state=RANG', 'state', 400],
  ['/api/v1/reporting/calls?direction=up', 'direction', 400],
  ['/api/v1/reporting/calls?limit=0', 'limit', 400],
  ['/api/v1/reporting/calls?limit=201', 'limit', 400],
  ['/api/v1/reporting/calls?limit=ten', 'limit', 400],
  ['/api/v1/reporting/calls?cursor=AAAA', 'cursor', 400],
  ['/api/v1/reporting/calls?cursor=%00', 'cursor', 400],
  ['/api/v1/reporting/calls?fromNumber=%00', 'fromNumber', 400],
  ['/api/v1/reporting/calls?startedFrom=2026-01-02T00:00:00Z&startedTo=2026-01-01T00:00:00Z', 'startedTo', 422],
])('%s is refused, naming %s, with %i', async (url, field, status) => {
  const tenant = await platform.newTenant()
  const answer = await tenant.ask(url)
  expect(answer).toMatchObject({ status, body: { status, errors: [{ field }] } })
})

test('ranges as long as allowed are answered, also when they do not begin with a bucket', async () => {
  const tenant = await platform.newTenant()
  const to = hoursAgo(1) + 1234
  expect(
    (await tenant.metrics({ granularity: 'hour', from: iso(to - 92 * 24 * HOUR), to: iso(to) })).body.buckets,
  ).toHaveLength(92 * 24 + 1)
  expect(
    (await tenant.metrics({ granularity: 'day', from: iso(to - 400 * 24 * HOUR), to: iso(to) })).body.buckets,
  ).toHaveLength(401)
})

test('a timeline is paged: each event once and in order, also those that occurred and arrived together', async () => {
  const tenant = await platform.newTenant()
  const at = hoursAgo(3)
  const states = ['INITIATED', 'RINGING', 'ANSWERED', 'COMPLETED', 'BUSY'] as const
  // Few different times and states, so that pages end among events that only their ids tell apart.
  const events = Array.from({ length: 230 }, (_, i) => ({
    callId: 'long',
    eventId: `event|${i}`,
    state: states[i % 5]!,
    atMs: at + (i % 3),
  }))
  const position = await tenant.post(...events)
  const ask = (query: Record<string, string>) => tenant.ask(`/api/v1/calls/long?${new URLSearchParams(query)}`)
  const whole = [
    ...(await ask({ limit: '200', position })).body.events,
    ...(await ask({ limit: '200', cursor: (await ask({ limit: '200', position })).body.nextCursor })).body.events,
  ]
  expect(new Set(whole.map((e: { eventId: string }) => e.eventId)).size).toBe(230)
  const times = whole.map((e: { occurredAt: string }) => Date.parse(e.occurredAt))
  expect(times).toEqual(times.toSorted((a, b) => a - b))

  const walked: unknown[] = []
  let query: Record<string, string> = { limit: '7', position }
  for (let page = 0; page < 40; page++) {
    const { status, body } = await ask(query)
    expect(status).toBe(200)
    expect(Value.Errors(TimelineAnswer, body)).toEqual([])
    expect(body.call.callId).toBe('long')
    expect(body.events.length).toBeLessThanOrEqual(7)
    walked.push(...body.events)
    if (body.nextCursor === null) break
    query = { limit: '7', cursor: body.nextCursor }
  }
  expect(walked).toEqual(whole)

  const { body } = await ask({ position })
  expect(body.events).toHaveLength(100)
  for (const [path, more] of [
    ['other', { cursor: body.nextCursor }],
    ['long', { cursor: `${body.nextCursor}x` }],
  ] as const) {
    const answer = await tenant.ask(`/api/v1/calls/${path}?${new URLSearchParams(more)}`)
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid-cursor'])
  }
  expect((await ask({ limit: '201' })).status).toBe(400)
})
