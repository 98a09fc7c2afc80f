import fc from 'fast-check'
import { expect, test } from 'vitest'
import { capacityOf, nextRateUp, type Tried } from '../../bench/capacity/next-rate-up.ts'

/** Searches a platform that carries so much, to the end. */
function search(carries: number, startPerSecond: number, mostSteps = 30): readonly Tried[] {
  const tried: Tried[] = []
  for (;;) {
    const ratePerSecond = nextRateUp({ tried, startPerSecond, mostSteps })
    if (ratePerSecond === undefined) return tried
    tried.push({ ratePerSecond, holds: ratePerSecond <= carries, use: Math.min(1, ratePerSecond / carries) })
  }
}

test('finds what is carried to 6 % from any start, and confirms it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 30, max: 5000 }), fc.double({ min: 0.1, max: 3, noNaN: true }), (carries, start) => {
      const { held, confirmed } = capacityOf(search(carries, start * carries))
      expect(confirmed).toBe(true)
      expect(held).toBeLessThanOrEqual(carries)
      expect(held).toBeGreaterThan(0.94 * carries - 1)
    }),
  )
})

test('is there within eight steps when it begins at less than half', () => {
  expect(search(400, 160).length).toBeLessThanOrEqual(8)
})

test('what held once and failed when it was confirmed does not hold', () => {
  const tried = [
    { ratePerSecond: 100, holds: true },
    { ratePerSecond: 110, holds: true },
    { ratePerSecond: 114, holds: false },
    { ratePerSecond: 110, holds: false },
  ]
  expect(capacityOf(tried)).toEqual({ held: 100, failed: 110, confirmed: false })
  expect(nextRateUp({ tried, startPerSecond: 1, mostSteps: 9 })).toBe(105)
})

test('a search that was stopped goes on with the rate that was next', () => {
  const whole = search(400, 100)
  const next = nextRateUp({ tried: whole.slice(0, 3), startPerSecond: 100, mostSteps: 30 })
  expect(next).toBe(whole[3]?.ratePerSecond)
})

test('nothing held: goes down to 1 a second, and ends', () => {
  const tried = search(0, 200)
  expect(tried.at(-1)?.ratePerSecond).toBe(1)
  expect(capacityOf(tried)).toMatchObject({ held: 0, confirmed: false })
})
