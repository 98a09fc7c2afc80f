import type { CallState } from '@hopwhistle/contract/calls.ts'
import { CALL_STATE_RANK, CALL_STATES } from '@hopwhistle/contract/calls.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Call, FoldableEvent } from './call-model.ts'
import { foldCall, plainLabels, ringMs, talkMs } from './call-model.ts'

const foldAll = (events: readonly FoldableEvent[]) =>
  events.reduce<Call | undefined>((call, event) => foldCall(call, event).call, undefined)

const event = fc
  .record({
    state: fc.constantFrom(...CALL_STATES),
    occurredAt: fc.integer({ min: 0, max: 50 }),
    direction: fc.constantFrom(undefined, 'inbound' as const, 'outbound' as const),
    from: fc.constantFrom(undefined, '+12', '+22', 'tel:+1-1', 'sip:+2(1)@pbx.example'),
    to: fc.constantFrom(undefined, '+3', '+4'),
    corrects: fc.constantFrom(undefined, undefined, true as const),
    labels: fc.dictionary(fc.constantFrom('campaign', 'agent'), fc.constantFrom('a', 'b', 'c'), { maxKeys: 2 }),
  })
  .map((given) => ({ ...given, corrects: CALL_STATE_RANK[given.state] === 3 ? given.corrects : undefined }))
const events = fc.array(event, { minLength: 1, maxLength: 10 })

/** The same events in another order, some of them more than once. */
const shuffled = <T>(items: readonly T[]) =>
  fc
    .array(fc.nat(items.length - 1), { maxLength: 5 })
    .chain((again) =>
      fc.shuffledSubarray([...items, ...again.map((i) => items[i] as T)], { minLength: items.length + again.length }),
    )

test('any order and any duplication of the same events make one call, whatever happened', () => {
  const twoOrders = events.chain((all) => fc.tuple(fc.constant(all), shuffled(all)))
  fc.assert(
    fc.property(twoOrders, ([one, other]) => {
      expect(foldAll(other)).toEqual(foldAll(one))
    }),
    { numRuns: 1_000 },
  )
})

test('of several terminal states the one that occurred first stands, unless one corrects them: then the last correction', () => {
  const ended = (state: CallState, occurredAt: number, corrects?: true): FoldableEvent => ({
    state,
    occurredAt,
    corrects,
    direction: undefined,
    from: undefined,
    to: undefined,
  })
  expect(foldAll([ended('BUSY', 8), ended('COMPLETED', 5)])?.state).toBe('COMPLETED')
  expect(foldAll([ended('BUSY', 5), ended('COMPLETED', 5)])?.state).toBe('BUSY')
  const corrected = foldAll([
    ended('FAILED', 20, true),
    ended('BUSY', 8),
    ended('CANCELED', 30, true),
    ended('COMPLETED', 5),
  ])
  expect(corrected).toMatchObject({ state: 'CANCELED', endedAt: 5, correctedAt: 30 })
})

test('of a label the value of the event that occurred last stands; at the same time, the greater text', () => {
  const labelled = (occurredAt: number, labels: Record<string, string>): FoldableEvent => ({
    state: 'RINGING',
    occurredAt,
    labels,
    corrects: undefined,
    direction: undefined,
    from: undefined,
    to: undefined,
  })
  const call = foldAll([
    labelled(7, { campaign: 'late', agent: 'b' }),
    labelled(7, { agent: 'a' }),
    labelled(5, { campaign: 'z', source: 'search' }),
  ])
  expect(plainLabels(call as Call)).toEqual({ campaign: 'late', agent: 'b', source: 'search' })
})

test('a call never goes back: an event is applied and makes its state, or is late and leaves it', () => {
  fc.assert(
    fc.property(events, (all) => {
      let call: Call | undefined
      for (const next of all) {
        const before = call === undefined ? -1 : CALL_STATE_RANK[call.state]
        const folded = foldCall(call, next)
        const after = CALL_STATE_RANK[folded.call.state]
        expect(after).toBe(Math.max(before, CALL_STATE_RANK[next.state]))
        if (after > before) expect(folded.outcome).toBe('applied')
        else if (after < 3) expect(folded.outcome).toBe('late')
        expect(folded.call.state).toBe(folded.outcome === 'applied' ? next.state : call?.state)
        call = folded.call
      }
    }),
  )
})

test('a call that completes before it rings still ends up completed, with both times', () => {
  const common = { corrects: undefined, direction: undefined, from: undefined, to: undefined }
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
