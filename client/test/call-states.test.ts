import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createCallStates, type LiveMessage } from '../src/index.ts'

const message = (callId: string, sequence: number | null, type: string, outcome = 'applied') =>
  ({ callId, sequence, type, outcome }) as LiveMessage

/** Later ones apply, as ranks have it; others are late. */
const TYPES = ['call.initiated', 'call.ringing', 'call.answered', 'call.no_answer']

test('in whatever order the messages of a call come, and however often, the newest that was not late decides its state', () => {
  const anyOrder = fc
    .array(fc.nat(TYPES.length - 1), { minLength: 1, maxLength: 6 })
    .map((ranks) =>
      ranks.map((rank, i) => {
        const isLate = ranks.slice(0, i).some((before) => before >= rank)
        return message('c', i + 1, TYPES[rank] ?? '', isLate ? 'late' : 'applied')
      }),
    )
    .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: all.length * 2 })))
  fc.assert(
    fc.property(anyOrder, ([inOrder, shuffled]) => {
      const states = createCallStates()
      let shown: string | undefined
      for (const each of shuffled) shown = states.apply(each) ?? shown
      const newest = inOrder.findLast(({ outcome }) => outcome === 'applied')
      expect(`call.${shown?.toLowerCase()}`).toBe(newest?.type)
    }),
  )
})

test('a late message changes no state, an unknown type neither, and a message without a sequence is believed', () => {
  const states = createCallStates()
  expect(states.apply(message('c', 2, 'call.ringing'))).toBe('RINGING')
  expect(states.apply(message('c', 3, 'call.initiated', 'late'))).toBeUndefined()
  expect(states.apply(message('c', 4, 'call.transferred'))).toBeUndefined()
  expect(states.apply(message('c', null, 'call.no_answer'))).toBe('NO_ANSWER')
})

test('the calls that were heard of last are remembered, and no more than asked for', () => {
  const states = createCallStates({ callsMax: 2 })
  for (const callId of ['a', 'b', 'a', 'c']) states.apply(message(callId, 5, 'call.ringing'))
  expect(states.apply(message('a', 4, 'call.initiated'))).toBeUndefined()
  expect(states.apply(message('b', 4, 'call.initiated'))).toBe('INITIATED')
})
