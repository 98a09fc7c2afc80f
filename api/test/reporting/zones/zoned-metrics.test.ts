import { CALL_STATES } from '@hopwhistle/contract/calls.ts'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WEEKDAYS, ZONE_GRANULARITIES } from '../../../src/reporting/zones/zone-buckets.ts'
import { parseZonedRange } from '../../../src/reporting/zones/zoned-range.ts'
import { zonedReport } from '../../../src/reporting/zones/zoned-report.ts'
import { duringFolds } from '../during-folds.ts'
import type { Platform, TestEvent } from '../reporting-platform.ts'
import { startPlatform } from '../reporting-platform.ts'

const QUARTER = 15 * 60_000
const HOUR = 4 * QUARTER
const DAY = 24 * HOUR
let platform: Platform
beforeAll(async () => {
  platform = await startPlatform()
})
afterAll(() => platform.close())

const iso = (ms: number) => new Date(ms).toISOString()

/** What the metrics between these borders must be, computed from the calls themselves; first that of all. */
async function fromTheCalls(tenantId: string, borders: readonly number[]) {
  const { rows } = await platform.owner.query(
    `select width_bucket(started_at, $2::timestamptz[]) - 1 as bucket, count(*)::int as calls,
       count(answered_at)::int as connected,
       count(*) filter (where direction = 0)::int as inbound, count(*) filter (where direction = 1)::int as outbound,
       array_agg(state order by state) as states,
       percentile_disc(array[0.5, 0.95, 0.99]) within group (order by hopwhistle.elapsed_ms(answered_at, ended_at))
         filter (where answered_at is not null and ended_at is not null) as talk,
       percentile_disc(array[0.5, 0.95, 0.99]) within group (order by hopwhistle.elapsed_ms(least(initiated_at, ringing_at), answered_at))
         filter (where answered_at is not null and least(initiated_at, ringing_at) is not null) as ring,
       round(avg(hopwhistle.elapsed_ms(answered_at, ended_at))::float8)::int as talk_average
     from hopwhistle.calls where tenant_id = $1 and started_at >= ($2::timestamptz[])[1]
       and started_at < ($2::timestamptz[])[cardinality($2::timestamptz[])]
     group by grouping sets ((1), ()) order by 1 nulls first`,
    [tenantId, borders.map(iso)],
  )
  return rows
}

// biome-ignore lint/suspicious/noExplicitAny: rows and answers, compared field by field
function compare(reported: any, exact: any): void {
  expect(reported).toMatchObject({
    calls: exact.calls,
    connected: exact.connected,
    inbound: exact.inbound,
    outbound: exact.outbound,
    states: Object.fromEntries(
      CALL_STATES.map((s, code) => [s, (exact.states ?? []).filter((x: number) => x === code).length]),
    ),
  })
  expect(reported.talk.averageMs).toBe(exact.talk_average)
  for (const duration of ['ring', 'talk'] as const) {
    const reportedPs = [reported[duration].p50Ms, reported[duration].p95Ms, reported[duration].p99Ms]
    if (exact[duration] === null) expect(reportedPs).toEqual([null, null, null])
    else {
      exact[duration].map(Number).forEach((ms: number, i: number) => {
        expect(Math.abs(reportedPs[i] - Math.max(ms, 1))).toBeLessThanOrEqual(Math.max(ms, 1) * 0.0101 + 0.5)
      })
    }
  }
}

const event = fc.record({
  call: fc.integer({ min: 0, max: 40 }),
  state: fc.constantFrom(...CALL_STATES),
  atMs: fc.integer({ min: 0, max: 6 * DAY }),
  direction: fc.option(fc.constantFrom('inbound' as const, 'outbound' as const)),
})
/** Zones whose hours are not those of UTC, and zones of the largest offsets, more often than others. */
const zone = fc.oneof(
  fc.constantFrom(
    ...[
      'Asia/Kolkata',
      'Asia/Kathmandu',
      'Australia/Lord_Howe',
      'Pacific/Chatham',
      'America/St_Johns',
      'Pacific/Marquesas',
    ],
    ...['Pacific/Kiritimati', 'Pacific/Pago_Pago', 'UTC', 'Europe/London', 'Europe/Berlin', 'America/New_York'],
  ),
  fc.constantFrom(...Intl.supportedValuesOf('timeZone')),
)

test('metrics in any zone are what the calls say, for any events in any order, folded or not, to the bucket and in total', async () => {
  const earliest = Math.floor(Date.now() / DAY) * DAY - 85 * DAY
  const asked = fc.record({
    timezone: zone,
    granularity: fc.constantFrom(...ZONE_GRANULARITIES),
    weekStart: fc.constantFrom(...WEEKDAYS),
    fromMs: fc.integer({ min: -2 * DAY, max: 4 * DAY }),
    lengthMs: fc.integer({ min: 1, max: 9 * DAY }),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 70 * 24 }),
      fc.array(event, { minLength: 1, maxLength: 120 }),
      fc.array(asked, { minLength: 6, maxLength: 6 }),
      async (hour, events, questions) => {
        const base = earliest + hour * HOUR
        const tenant = await platform.newTenant()
        const batch = (part: typeof events): TestEvent[] =>
          part.map(({ call, state, atMs, direction }) => ({
            callId: `c${call}`,
            state,
            // Calls last minutes, and so have durations; some are moved to another bucket by an earlier event.
            atMs: base + call * 3 * HOUR + (atMs % (atMs % 3 === 0 ? 6 * HOUR : HOUR)),
            ...(direction === null ? {} : { direction }),
          }))
        const half = Math.floor(events.length / 2)
        if (half > 0) await tenant.post(...batch(events.slice(0, half)))
        await platform.owner.query('select hopwhistle.fold_call_metrics()')
        const position = await tenant.post(...batch(events.slice(half)))
        for (const { timezone, granularity, weekStart, fromMs, lengthMs } of questions) {
          const { status, body, text } = await tenant.metrics({
            granularity,
            timezone,
            ...(granularity === 'week' ? { weekStart } : {}),
            from: iso(base + fromMs),
            to: iso(base + fromMs + lengthMs),
            position,
          })
          expect(status, text).toBe(200)
          expect(body).toMatchObject({ timezone, granularity, from: body.buckets[0].start })
          const borders = [...body.buckets.map(({ start }: { start: string }) => start), body.to].map(Date.parse)
          const [totals, ...buckets] = await fromTheCalls(tenant.tenantId, borders)
          compare(body.totals, totals)
          const filled = body.buckets.flatMap(({ calls }: { calls: number }, i: number) => (calls > 0 ? [i] : []))
          expect(filled).toEqual(buckets.map(({ bucket }) => bucket))
          for (const exact of buckets) compare(body.buckets[exact.bucket], exact)
        }
      },
    ),
    { numRuns: 40, interruptAfterTimeLimit: 60_000 },
  )
}, 120_000)

test('a bucket reads the same, to the letter, before it is folded and after', async () => {
  const base = Math.floor(Date.now() / DAY) * DAY - 6 * DAY
  await fc.assert(
    fc.asyncProperty(zone, fc.array(event, { minLength: 1, maxLength: 40 }), async (timezone, events) => {
      const tenant = await platform.newTenant()
      const position = await tenant.post(
        ...events.map(({ call, state, atMs, direction }) => ({
          callId: `c${call}`,
          state,
          atMs: base + (atMs % (3 * DAY)),
          ...(direction === null ? {} : { direction }),
        })),
      )
      const ask = async (at: string) => {
        const range = { timezone, from: iso(base), to: iso(base + 3 * DAY), position: at }
        const answers = ZONE_GRANULARITIES.map((granularity) => tenant.metrics({ granularity, ...range }))
        return (await Promise.all(answers)).map(({ body }) => JSON.stringify([body.totals, body.buckets]))
      }
      const pending = await ask(position)
      await platform.owner.query('select hopwhistle.fold_call_metrics()')
      const later = await tenant.post({ callId: 'later', state: 'INITIATED', atMs: base - 60 * DAY })
      expect(await ask(later)).toEqual(pending)
    }),
    { numRuns: 15, interruptAfterTimeLimit: 30_000 },
  )
}, 60_000)

test('a report made while folding goes on counts every change once, in hours and in days of a zone', async () => {
  const tenant = await platform.newTenant()
  const at = Math.floor(Date.now() / HOUR) * HOUR - 3 * HOUR
  await duringFolds(platform.owner, async () => {
    for (let i = 1; i <= 60; i++) {
      const position = await tenant.post({ callId: `c${i}`, state: 'RINGING', atMs: at + i })
      const answers = await Promise.all(
        ZONE_GRANULARITIES.map((granularity) => tenant.metrics({ granularity, timezone: 'Asia/Kolkata', position })),
      )
      expect(answers.map(({ body }) => body.totals.calls)).toEqual([i, i, i, i])
    }
  })
})

test('the metrics of a range are cached for each zone and each first day of the week', async () => {
  const tenant = await platform.newTenant()
  await tenant.post({ callId: 'c', state: 'INITIATED', atMs: Date.now() - 3 * HOUR })
  const range = { granularity: 'week', from: iso(Date.now() - 9 * DAY), to: iso(Date.now()) }
  const ask = async (more: Record<string, string>) => (await tenant.metrics({ ...range, ...more })).body
  const [berlin, again, monday, sunday, utc] = [
    await ask({ timezone: 'Europe/Berlin' }),
    await ask({ timezone: 'Europe/Berlin' }),
    await ask({ timezone: 'Asia/Kolkata' }),
    await ask({ timezone: 'Asia/Kolkata', weekStart: 'sunday' }),
    await ask({}),
  ]
  expect(again).toEqual({ ...berlin, source: 'cache' })
  expect(monday).toMatchObject({ source: 'replica', timezone: 'Asia/Kolkata', weekStart: 'monday' })
  expect(sunday).toMatchObject({ source: 'replica', timezone: 'Asia/Kolkata', weekStart: 'sunday' })
  expect(utc).toMatchObject({ source: 'replica', timezone: 'UTC', weekStart: 'monday' })
  expect(new Set([berlin, monday, sunday, utc].map(({ from }) => from)).size).toBe(4)
})

test('a tenant with a zone of its own gets its metrics in that; without one, nothing is said about zones', async () => {
  const inZone = await platform.newTenant('Asia/Kolkata')
  const inNone = await platform.newTenant()
  const day = { granularity: 'day' }
  expect((await inZone.metrics(day)).body).toMatchObject({
    timezone: 'Asia/Kolkata',
    to: expect.stringMatching(/T00:00:00\+05:30$/),
  })
  expect((await inZone.metrics({ ...day, timezone: 'UTC' })).body).toMatchObject({
    timezone: 'UTC',
    to: expect.stringMatching(/T00:00:00Z$/),
  })
  const { body } = await inNone.metrics(day)
  expect(Object.keys(body)).toEqual(['source', 'asOf', 'granularity', 'from', 'to', 'totals', 'buckets'])
  expect((await inNone.metrics({ ...day, timezone: 'UTC' })).body.buckets).toEqual(body.buckets)
})

test('without a start, as many buckets as usual come, and the last one has the present moment in it', async () => {
  const tenant = await platform.newTenant()
  for (const [granularity, buckets] of Object.entries({ hour: 24, day: 30, week: 12, month: 12 })) {
    const { body } = await tenant.metrics({ granularity, timezone: 'Pacific/Chatham' })
    expect(body.buckets, granularity).toHaveLength(buckets)
    expect(Date.parse(body.to)).toBeGreaterThan(Date.now() - 1)
    expect(Date.parse(body.buckets.at(-1).start)).toBeLessThanOrEqual(Date.now())
  }
})

test('an unknown zone, a first day without weeks, and a range that is too long are each refused by name', async () => {
  const tenant = await platform.newTenant()
  const ask = async (query: Record<string, string>) => {
    const { status, body } = await tenant.metrics({ granularity: 'day', ...query })
    return [status, body.code, body.errors?.[0]?.field, body.errors?.[0]?.message]
  }
  for (const timezone of ['Europe/Berln', 'PST', '+05:30', "'; select 1"]) {
    expect(await ask({ timezone })).toEqual([
      ...[422, 'unknown-time-zone', 'timezone'],
      `is ${JSON.stringify(timezone)}; it must be an IANA name such as Europe/Berlin`,
    ])
  }
  expect(await ask({ timezone: 'x'.repeat(65) })).toMatchObject([400, 'invalid-request', 'timezone', expect.anything()])
  expect(await ask({ weekStart: 'sunday' })).toMatchObject([400, 'invalid-request', 'weekStart', expect.anything()])
  expect(await ask({ weekStart: 'someday', granularity: 'week' })).toMatchObject([
    400,
    'invalid-request',
    'weekStart',
    expect.anything(),
  ])
  const from = iso(Date.now() - 2_000 * DAY)
  for (const granularity of ZONE_GRANULARITIES) {
    expect(await ask({ granularity, timezone: 'Asia/Tokyo', from })).toMatchObject([
      422,
      'time-out-of-range',
      'from',
      expect.anything(),
    ])
  }
})

test('counts of a quarter beyond a character, and below zero between two steps, are read as they are', async () => {
  const tenant = await platform.newTenant()
  const at = Math.floor(Date.now() / HOUR) * HOUR - 3 * HOUR
  // Calls of a minute: as many as have characters of one, two, three and four bytes, and none; then some fewer than none.
  for (const [quarter, calls] of [90, 2_000, 60_000, 900_000, -70].entries()) {
    await platform.owner.query(
      `insert into hopwhistle.call_metrics_quarterly
         (tenant_id, quarter, calls, initiated, ringing, answered, completed, busy, no_answer, failed, canceled, inbound, outbound,
          connected, ring_count, talk_count, ring_total_ms, talk_total_ms, talk_histogram)
       select $1, $2, n, 0, 0, 0, n, 0, 0, 0, 0, 0, 0, n, 0, n, 0, n * 60000::bigint,
         chr(32 + hopwhistle.duration_bucket(60000)) || chr(hopwhistle.quarter_count_code(n))
       from (select $3::integer as n) of_quarter`,
      [tenant.tenantId, iso(at + quarter * QUARTER), calls],
    )
  }
  // Each count once more, by folding: the code is read there as well.
  const position = await tenant.post({ callId: 'elsewhere', state: 'INITIATED', atMs: at - 40 * DAY })
  const range = { granularity: 'hour', timezone: 'Asia/Kathmandu', from: iso(at), to: iso(at + 75 * 60_000), position }
  const { body } = await tenant.metrics(range)
  expect(body.totals).toMatchObject({ calls: 962_020, talk: { count: 962_020, averageMs: 60_000 } })
  const { rows } = await platform.owner.query(
    `select hopwhistle.fold_quarter_histogram(talk_histogram, array[hopwhistle.duration_bucket(60000)]) =
       chr(32 + hopwhistle.duration_bucket(60000)) || chr(hopwhistle.quarter_count_code(calls + 1)) as one_more
     from hopwhistle.call_metrics_quarterly where tenant_id = $1`,
    [tenant.tenantId],
  )
  expect(rows).toEqual(Array(5).fill({ one_more: true }))
})

test.each(['UTC', 'Asia/Kolkata'])(
  'Postgres works out once since when calls are stale, not for each of 720 hours of %s',
  async (timezone) => {
    const tenant = await platform.newTenant()
    const toMs = Math.floor(Date.now() / DAY) * DAY
    const query = { granularity: 'hour', timezone, from: iso(toMs - 30 * DAY), to: iso(toMs) } as const
    const { statement } = zonedReport(tenant.tenantId, parseZonedRange(query, undefined, toMs))
    const client = await platform.owner.connect()
    // Of this session, since it last told the others; in one transaction, so that it does not in between.
    const calls = async (): Promise<number> => {
      const { rows } = await client.query(
        `select calls::int from pg_stat_xact_user_functions where funcname = 'stale_before'`,
      )
      return rows[0]?.calls ?? 0
    }
    try {
      await client.query(`begin; set local track_functions = 'all'`)
      const before = await calls()
      await client.query(statement.text, [...statement.values])
      expect((await calls()) - before).toBe(1)
    } finally {
      await client.query('rollback')
      client.release()
    }
  },
)
