import { CALL_STATE_RANK, CALL_STATES } from '@hopwhistle/contract/calls.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Call, FoldableEvent } from '../../src/calls/fold-call.ts'
import { foldCall, ringMs, talkMs } from '../../src/calls/fold-call.ts'

const foldAll = (events: readonly FoldableEvent[]) =>
  events.reduce<Call | undefined>((call, event) => foldCall(call, event).call, undefined)

const event = fc.record({
  state: fc.constantFrom(...CALL_STATES),
  occurredAt: fc.integer({ min: 0, max: 50 }),
  direction: fc.constantFrom(undefined, 'inbound' as const, 'outbound' as const),
  from: fc.constantFrom(undefined, '+1', '+2'),
  to: fc.constantFrom(undefined, '+3', '+4'),
})
const events = fc.array(event, { minLength: 1, maxLength: 10 })

/** The same events in another order, some of them more than once. */
const shuffled = <T>(items: readonly T[]) =>
  fc
    .array(fc.nat(items.length - 1), { maxLength: 5 })
    .chain((again) =>
      fc.shuffledSubarray([...items, ...again.map((i) => items[i] as T)], { minLength: items.length + again.length }),
    )

test('any order and any duplication of the same events make one call, whatever happened', () => {
  const oneEnding = events.map((all) => {
    const ending = all.find((e) => CALL_STATE_RANK[e.state] === 3)?.state
    return all.map((e) => (CALL_STATE_RANK[e.state] === 3 ? { ...e, state: ending ?? e.state } : e))
  })
  const twoOrders = oneEnding.chain((all) => fc.tuple(fc.constant(all), shuffled(all)))
  fc.assert(
    fc.property(twoOrders, ([one, other]) => {
      expect(foldAll(other)).toEqual(foldAll(one))
    }),
  )
})

test('when terminal states disagree, order decides which stands and nothing else', () => {
  const twoOrders = events.chain((all) => fc.tuple(fc.constant(all), shuffled(all)))
  fc.assert(
    fc.property(twoOrders, ([one, other]) => {
      const { state, ...rest } = foldAll(one) as Call
      const { state: otherState, ...otherRest } = foldAll(other) as Call
      expect(otherRest).toEqual(rest)
      expect(CALL_STATE_RANK[otherState]).toBe(CALL_STATE_RANK[state])
      const firstEnding = other.find((e) => CALL_STATE_RANK[e.state] === 3)?.state
      if (firstEnding !== undefined) expect(otherState).toBe(firstEnding)
    }),
  )
})

test('a call never goes back: an event either moves it forward and is applied, or is late', () => {
  fc.assert(
    fc.property(events, (all) => {
      let call: Call | undefined
      for (const next of all) {
        const before = call === undefined ? -1 : CALL_STATE_RANK[call.state]
        const folded = foldCall(call, next)
        const after = CALL_STATE_RANK[folded.call.state]
        expect(after).toBe(Math.max(before, CALL_STATE_RANK[next.state]))
        expect(folded.outcome).toBe(after > before ? 'applied' : 'late')
        call = folded.call
      }
    }),
  )
})

test('a call that completes before it rings still ends up completed, with both times', () => {
  const common = { direction: undefined, from: undefined, to: undefined }
  const call = foldAll([
    { ...common, state: 'COMPLETED', occurredAt: 9 },
    { ...common, state: 'RINGING', occurredAt: 2 },
  ])
  expect(call).toMatchObject({ state: 'COMPLETED', startedAt: 2, ringingAt: 2, endedAt: 9 })
})

test('ringing lasts from the first sign of the call to its answer, talking from there to its end', () => {
  const call = { initiatedAt: 1_000, ringingAt: 2_000, answeredAt: 9_000, endedAt: 69_000 }
  expect(ringMs(call)).toBe(8_000)
  expect(talkMs(call)).toBe(60_000)
  expect(talkMs({ ...call, endedAt: 8_000 })).toBe(0)
  expect(talkMs({ ...call, endedAt: undefined })).toBeUndefined()
})
