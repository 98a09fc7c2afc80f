import { CALL_STATES } from '@hopwhistle/contract/calls.ts'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { duringFolds } from './during-folds.ts'
import type { Platform, TestEvent } from './reporting-platform.ts'
import { startPlatform } from './reporting-platform.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
let platform: Platform
beforeAll(async () => {
  platform = await startPlatform()
})
afterAll(() => platform.close())

const iso = (ms: number) => new Date(ms).toISOString()

/** What the metrics of a range must be, computed from the calls themselves. */
async function fromTheCalls(tenantId: string, granularity: string, fromMs: number, toMs: number) {
  const { rows } = await platform.owner.query(
    `select date_trunc($2, started_at, 'UTC') as start, count(*)::int as calls, count(answered_at)::int as connected,
       count(*) filter (where direction = 0)::int as inbound, count(*) filter (where direction = 1)::int as outbound,
       array_agg(state order by state) as states,
       percentile_disc(array[0.5, 0.95, 0.99]) within group (order by hopwhistle.elapsed_ms(answered_at, ended_at))
         filter (where answered_at is not null and ended_at is not null) as talk,
       percentile_disc(array[0.5, 0.95, 0.99]) within group (order by hopwhistle.elapsed_ms(least(initiated_at, ringing_at), answered_at))
         filter (where answered_at is not null and least(initiated_at, ringing_at) is not null) as ring
     from hopwhistle.calls where tenant_id = $1 and started_at >= $3 and started_at < $4
     group by grouping sets ((1), ()) order by 1 nulls first`,
    [tenantId, granularity, iso(fromMs), iso(toMs)],
  )
  return rows
}

const event = fc.record({
  call: fc.integer({ min: 0, max: 40 }),
  state: fc.constantFrom(...CALL_STATES),
  hour: fc.integer({ min: 0, max: 30 }),
  offsetMs: fc.integer({ min: 0, max: HOUR - 1 }),
  direction: fc.option(fc.constantFrom('inbound' as const, 'outbound' as const)),
})

/** The test's own timeout would end it without the counterexample found so far. */
const WITHIN_THE_TIMEOUT = { interruptAfterTimeLimit: 15_000 }

/** At the ends of a range and in between, folded and not: every part that a report is put together from. */
const answeredCall = (call: number, hour: number) =>
  (['INITIATED', 'ANSWERED', 'COMPLETED'] as const).map((state, i) => ({
    call,
    state,
    hour,
    offsetMs: i * 20_000 * call,
    direction: null,
  }))

test('metrics are what the calls say, for any events in any order, folded or not, to the bucket and in total', async () => {
  const base = Math.floor(Date.now() / DAY) * DAY - 4 * DAY
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 120 }), async (events) => {
      const tenant = await platform.newTenant()
      const batch = (part: typeof events): TestEvent[] =>
        part.map(({ call, state, hour, offsetMs, direction }) => ({
          callId: `c${call}`,
          state,
          atMs: base + hour * HOUR + offsetMs,
          ...(direction === null ? {} : { direction }),
        }))
      const half = Math.floor(events.length / 2)
      if (half > 0) await tenant.post(...batch(events.slice(0, half)))
      await platform.owner.query('select hopwhistle.fold_call_metrics()')
      const position = await tenant.post(...batch(events.slice(half)))
      for (const [granularity, fromMs, toMs] of [
        ['hour', base - HOUR, base + 3 * DAY],
        ['hour', base + 5 * HOUR, base + 9 * HOUR],
        ['hour', base - 5 * HOUR, base + 29 * HOUR],
        ['hour', base + 2 * HOUR, base + 51 * HOUR],
        ['day', base - DAY, base + 3 * DAY],
      ] as const) {
        const { body } = await tenant.metrics({ granularity, from: iso(fromMs), to: iso(toMs), position })
        const [totals, ...buckets] = await fromTheCalls(tenant.tenantId, granularity, fromMs, toMs)
        compare(body.totals, totals)
        const filled = body.buckets.filter((b: { calls: number }) => b.calls > 0)
        expect(filled.map((b: { start: string }) => Date.parse(b.start))).toEqual(buckets.map((b) => b.start.getTime()))
        for (const [i, b] of filled.entries()) compare(b, buckets[i])
      }
    }),
    {
      ...WITHIN_THE_TIMEOUT,
      numRuns: 25,
      examples: [[[...answeredCall(1, 26), ...answeredCall(2, 3), ...answeredCall(3, 26), ...answeredCall(4, 3)]]],
    },
  )
})

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
  for (const duration of ['ring', 'talk'] as const) {
    const reportedPs = [reported[duration].p50Ms, reported[duration].p95Ms, reported[duration].p99Ms]
    if (exact[duration] === null) expect(reportedPs).toEqual([null, null, null])
    else {
      exact[duration].map(Number).forEach((ms: number, i: number) => {
        // 1 %, and half a millisecond of rounding; what is shorter than a millisecond counts as one.
        expect(Math.abs(reportedPs[i] - Math.max(ms, 1))).toBeLessThanOrEqual(Math.max(ms, 1) * 0.0101 + 0.5)
      })
    }
  }
}

/** Calls of 2 and of 3 ms: programs differ in how they round 2.5. */
const AVERAGE_OF_A_HALF = [2, 3].flatMap((ms) =>
  (['ANSWERED', 'COMPLETED'] as const).map((state, i) => ({
    call: ms,
    state,
    hour: 0,
    offsetMs: i * ms,
    direction: null,
  })),
)

test('a bucket reads the same, to the letter, before it is folded and after', async () => {
  const base = Math.floor(Date.now() / DAY) * DAY - 4 * DAY
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 40 }), async (events) => {
      const tenant = await platform.newTenant()
      const position = await tenant.post(
        ...events.map(({ call, state, offsetMs, direction }) => ({
          callId: `c${call}`,
          state,
          atMs: base + offsetMs,
          ...(direction === null ? {} : { direction }),
        })),
      )
      const ask = async (at: string) => {
        const range = { from: iso(base), to: iso(base + DAY), position: at }
        const answers = [
          tenant.metrics({ granularity: 'hour', ...range }),
          tenant.metrics({ granularity: 'day', ...range }),
        ]
        return (await Promise.all(answers)).map(({ body }) => JSON.stringify([body.totals, body.buckets]))
      }
      const pending = await ask(position)
      await platform.owner.query('select hopwhistle.fold_call_metrics()')
      // Of another day, for a position that comes after the folding.
      const folded = await tenant.post({ callId: 'later', state: 'INITIATED', atMs: base - DAY })
      expect(await ask(folded)).toEqual(pending)
    }),
    { ...WITHIN_THE_TIMEOUT, numRuns: 25, examples: [[AVERAGE_OF_A_HALF]] },
  )
})

test('a report made while folding goes on counts every change once', async () => {
  const tenant = await platform.newTenant()
  const at = Math.floor(Date.now() / HOUR) * HOUR - 3 * HOUR
  await duringFolds(platform.owner, async () => {
    for (let i = 1; i <= 60; i++) {
      const position = await tenant.post({ callId: `c${i}`, state: 'RINGING', atMs: at + i })
      const [hours, days] = await Promise.all(
        (['hour', 'day'] as const).map((granularity) => tenant.metrics({ granularity, position })),
      )
      expect([hours?.body.totals.calls, days?.body.totals.calls]).toEqual([i, i])
    }
  })
})
