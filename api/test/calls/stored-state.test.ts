import { CALL_STATE_RANK, CALL_STATES, TERMINAL_RANK } from '@hopwhistle/contract/calls.ts'
import fc from 'fast-check'
import type { Pool } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CallEvent } from '../../src/calls/call-event.ts'
import { commitBatch } from '../../src/calls/commit-batch.ts'
import { createReceiptClock } from '../../src/calls/receipt-clock.ts'
import { writeBatch } from '../../src/calls/write-batch.ts'
import type { Call } from './call-model.ts'
import { foldCall, plainLabels } from './call-model.ts'
import type { CallStore } from './call-store.ts'
import { callStore } from './call-store.ts'
import { foldedRollups, plainDays, plainHours } from './rollups.ts'

const HOUR_MS = 3600 * 1000
const BEGIN = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 50 * HOUR_MS

let store: CallStore
let db: Pool
beforeAll(async () => {
  store = await callStore()
  db = store.pool(undefined, 1)
})
afterAll(() => store.close())

/** The test's own timeout would end it without the counterexample found so far. */
const WITHIN_THE_TIMEOUT = { interruptAfterTimeLimit: 100_000 }

/** Few calls and few event ids, so that they meet; times around the edges of hours and days. */
const anEvent: fc.Arbitrary<CallEvent> = fc
  .record({
    id: fc.nat(25),
    call: fc.nat(3),
    state: fc.constantFrom(...CALL_STATES),
    occurredAt: fc.oneof(
      fc.integer({ min: 0, max: 30 * HOUR_MS }),
      fc.tuple(fc.nat(30), fc.integer({ min: -1, max: 1 })).map(([h, ms]) => h * HOUR_MS + ms),
    ),
    direction: fc.constantFrom(undefined, 'inbound' as const, 'outbound' as const),
    // One that sorts before another as it was sent, and after it in its normal form.
    from: fc.constantFrom(undefined, '+12', '+2 3', 'tel:+1-1', 'sip:+2(1)@a', 'NULL', 'a"b\\c,{}'),
    to: fc.constantFrom(undefined, '', '+33', 'TEL:+3-2;ext=4', 'client:Alice'),
    corrects: fc.constantFrom(undefined, undefined, true as const),
    metadata: fc.constantFrom(undefined, '{}', '{"a":"\\"x\\\\"}'),
    labels: fc.record(
      { campaign: fc.constantFrom('spring', 'a"b\\c,{}', '['), agent: fc.constantFrom('a', 'b') },
      { requiredKeys: [], noNullPrototype: true },
    ),
  })
  .map(({ id, call, occurredAt, corrects, labels, ...rest }) => ({
    ...rest,
    labels: Object.keys(labels).length === 0 ? undefined : labels,
    corrects: CALL_STATE_RANK[rest.state] === TERMINAL_RANK ? corrects : undefined,
    // An id stands for one content, but for the few that come with two: conflicts.
    eventId: `e-${id}`,
    callId: `c-${(id + call) % 4}`,
    occurredAt: BEGIN + occurredAt,
  }))

const someBatches = fc.array(fc.array(anEvent, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 6 })

/** What should become of events that arrive in this order: the rules, applied one event at a time. */
function expected(events: readonly CallEvent[]) {
  const stored = new Map<string, CallEvent>()
  const calls = new Map<string, Call>()
  const outcomes = events.map((event) => {
    const before = stored.get(event.eventId)
    if (before !== undefined) return JSON.stringify(before) === JSON.stringify(event) ? 'duplicate' : 'conflict'
    stored.set(event.eventId, event)
    const { call, outcome } = foldCall(calls.get(event.callId), event)
    calls.set(event.callId, call)
    return outcome
  })
  return { outcomes, calls, stored }
}

/** Writes batches as an instance would, and tells what was answered for each event, in order. */
async function write(tenantId: string, batches: readonly (readonly CallEvent[])[]) {
  const clock = createReceiptClock()
  const answers = new Map<CallEvent, string[]>()
  for (const batch of batches) {
    const received = batch.map((event) => ({ tenantId, event, receivedAtUs: clock() }))
    const written = writeBatch(received, {
      commit: (round, again) => commitBatch(db, round, [], again),
      pastFullCalls: async () => new Set(),
      mayRepeat: () => false,
    })
    for await (const part of written) {
      if (!('committed' in part)) throw part.refused
      const { outcomes, callStates } = part.committed
      part.events.forEach(({ event }, i) => {
        answers.set(event, [...(answers.get(event) ?? []), outcomes[i] as string])
        expect(callStates[i]).toBeDefined()
      })
    }
  }
  return answers
}

/** Events that come one by one are written by a procedure of their own. */
const oneByOne = fc.array(anEvent, { minLength: 1, maxLength: 30 }).map((events) => events.map((event) => [event]))

test.each([
  ['batches', someBatches, 60],
  ['events one by one', oneByOne, 40],
] as const)(
  'whatever order, duplication and %s: Postgres stores what the rules say, and rollups are what the calls add up to',
  async (_, given, numRuns) => {
    await fc.assert(
      fc.asyncProperty(given, async (batches) => {
        const tenantId = await store.newTenant()
        // The same object twice would be one key of the map below.
        const own = batches.map((batch) => batch.map((event) => ({ ...event })))
        const answers = await write(tenantId, own)

        // A repeat within a batch goes after the rest of it.
        const order = own.flatMap((batch) => {
          const rounds: CallEvent[][] = []
          const seen = new Map<string, number>()
          for (const event of batch) {
            const round = seen.get(event.eventId) ?? 0
            seen.set(event.eventId, round + 1)
            rounds[round] ??= []
            rounds[round].push(event)
          }
          return rounds.flat()
        })
        const want = expected(order)
        expect(order.flatMap((event) => answers.get(event))).toEqual(want.outcomes)
        const plain = [...want.calls].map(([id, { labels: _, ...call }]) => [id, call] as const)
        expect(await store.calls(tenantId)).toEqual(new Map(plain))
        const labelled = [...want.calls].filter(([, { labels }]) => labels !== undefined)
        expect(await store.labels(tenantId)).toEqual(
          Object.fromEntries(labelled.map(([id, call]) => [id, plainLabels(call)])),
        )

        const late = await store.query<{ event_id: string }>(
          'select event_id from hopwhistle.call_events where tenant_id = $1 and outcome = 1 order by 1',
          [tenantId],
        )
        const wantLate = order.filter((_, i) => want.outcomes[i] === 'late').map((event) => event.eventId)
        expect(late.map((row) => row.event_id)).toEqual(wantLate.sort())

        await store.query('select hopwhistle.fold_call_metrics()')
        expect(await foldedRollups(store, tenantId, 'hourly')).toEqual(plainHours(want.calls.values()))
        expect(await foldedRollups(store, tenantId, 'daily')).toEqual(plainDays(want.calls.values()))
      }),
      { ...WITHIN_THE_TIMEOUT, numRuns },
    )
  },
  120_000,
)

test('folding after every batch or once at the end makes the same rollups', async () => {
  await fc.assert(
    fc.asyncProperty(someBatches, async (batches) => {
      const tenantId = await store.newTenant()
      const all: CallEvent[] = []
      for (const batch of batches) {
        const own = batch.map((event) => ({ ...event }))
        await write(tenantId, [own])
        all.push(...own)
        await store.query('select hopwhistle.fold_call_metrics()')
      }
      const calls = await store.calls(tenantId)
      expect(await foldedRollups(store, tenantId, 'hourly')).toEqual(plainHours(calls.values()))
      expect(await foldedRollups(store, tenantId, 'daily')).toEqual(plainDays(calls.values()))
    }),
    { ...WITHIN_THE_TIMEOUT, numRuns: 20 },
  )
}, 120_000)
