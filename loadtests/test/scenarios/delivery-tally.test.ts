import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deliveryTally } from '../../scenarios/lib/delivery-tally.ts'
import { farewellId } from '../../scenarios/lib/message-ids.ts'
import { missingCount, openLedger, settle, skipTo } from '../../scenarios/lib/offset-ledger.ts'

describe('the ledger of a subscriber', () => {
  test('whatever is cut into frames, lost, repeated and shuffled: each offset counts once', () => {
    const frames = fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 7 })), {
      maxLength: 40,
    })
    fc.assert(
      fc.property(frames, (list) => {
        const ledger = openLedger(0)
        const seen = new Set<number>()
        let messages = 0
        for (const [from, more] of list) {
          settle(ledger, from, from + more, more + 1)
          messages += more + 1
          for (let offset = from; offset <= from + more; offset++) seen.add(offset)
        }
        expect(ledger.received).toBe(seen.size)
        expect(ledger.duplicated).toBe(messages - seen.size)
        expect(missingCount(ledger)).toBe(Math.max(0, ...seen) - seen.size)
      }),
    )
  })

  test('a hole that is filled later is a reordering, not a loss', () => {
    const ledger = openLedger(10)
    settle(ledger, 11, 12, 2)
    settle(ledger, 15, 16, 2)
    expect(missingCount(ledger)).toBe(2)
    settle(ledger, 13, 14, 2)
    expect(ledger).toMatchObject({ received: 6, reordered: 2, duplicated: 0, missing: [] })
  })

  test('what the server cannot give any more is missing', () => {
    const ledger = openLedger(10)
    skipTo(ledger, 14)
    settle(ledger, 15, 15, 1)
    expect(missingCount(ledger)).toBe(4)
  })
})

describe('the tally of a VU', () => {
  const run = { runId: 'r', publishers: 1, planned: 100 }
  const pass = (subscriber: ReturnType<ReturnType<typeof deliveryTally>['subscribe']>, to: number) =>
    settle(subscriber, subscriber.last + 1, to, to - subscriber.last)

  test('takes foreign messages, doubled ones and farewells off everybody that received them', () => {
    const tally = deliveryTally(run)
    const checker = tally.subscribe(0, true)
    const other = tally.subscribe(2, false)
    tally.checked(checker, 1, -1, 'somebody.else')
    tally.checked(checker, 2, 0, '')
    tally.checked(checker, 3, 1, '')
    tally.checked(checker, 4, 1, '')
    tally.checked(checker, 5, -1, 'somebody.else')
    tally.checked(checker, 6, -1, farewellId({ runId: 'r', startedAt: 1 }, 0, 2))
    pass(checker, 6)
    pass(other, 6)
    // The second subscriber came after offset 2, and so lacks the first of the run's two messages.
    expect(tally.totals(true)).toEqual({
      delivered: 2 + 1,
      duplicated: 1 + 1,
      reordered: 0,
      foreign: 2 + 1,
      lost: 0 + 1,
      mismatched: 0,
    })
    expect(tally.complete(2)).toBe(false)
  })

  test('does not count what others have beyond the checker, until it is known not to be foreign', () => {
    const tally = deliveryTally(run)
    const checker = tally.subscribe(0, true)
    const ahead = tally.subscribe(0, false)
    tally.checked(checker, 1, 0, '')
    pass(checker, 1)
    pass(ahead, 3)
    expect(tally.totals(false).delivered).toBe(2)
    tally.checked(checker, 2, -1, 'somebody.else')
    tally.checked(checker, 3, 1, '')
    pass(checker, 3)
    expect(tally.totals(false)).toMatchObject({ delivered: 4, foreign: 2 })
  })

  test('is complete when everybody has what every publisher says it sent', () => {
    const tally = deliveryTally({ ...run, publishers: 2 })
    const checker = tally.subscribe(0, true)
    tally.checked(checker, 1, 0, '')
    tally.checked(checker, 2, -1, farewellId({ runId: 'r', startedAt: 1 }, 0, 1))
    pass(checker, 2)
    expect(tally.complete(1)).toBe(false)
    tally.checked(checker, 3, -1, farewellId({ runId: 'r', startedAt: 1 }, 1, 1))
    tally.checked(checker, 4, 1, '')
    pass(checker, 4)
    expect(tally.complete(1)).toBe(true)
    expect(tally.complete(2)).toBe(false)
  })
})
