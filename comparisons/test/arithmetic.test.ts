import { openTerminal } from '@hopwhistle/platform/command-line/terminal.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { latencyOf, median, percentile, range } from '../arithmetic.ts'
import { meetsGoal, ratioOf } from '../measure/figure.ts'
import { runRounds } from '../measure/run-rounds.ts'
import { goalText, rangeText, valueText } from '../render-figures.ts'

test('the median is the middle value, or lies between the two in the middle, whatever the order', () => {
  expect(median([3])).toBe(3)
  expect(median([9, 1, 5])).toBe(5)
  expect(median([10, 1, 2, 3])).toBe(2.5)
  expect(() => median([])).toThrow(RangeError)
})

test('as many values lie below the median as above it', () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
      const middle = median(values)
      const below = values.filter((value) => value < middle).length
      const above = values.filter((value) => value > middle).length
      expect(Math.max(below, above)).toBeLessThanOrEqual(values.length / 2)
    }),
  )
})

test('the range is from the least to the most', () => {
  expect(range([4, -1, 7])).toEqual([-1, 7])
  expect(() => range([])).toThrow(RangeError)
})

test('a percentile is a value that was measured, and that so many do not exceed', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1)
  expect([0.5, 0.95, 0.99, 1].map((q) => percentile(hundred, q))).toEqual([50, 95, 99, 100])
  expect(percentile([7], 0.01)).toBe(7)
  expect(() => percentile([], 0.5)).toThrow(RangeError)
  fc.assert(
    fc.property(
      fc.array(fc.integer(), { minLength: 1 }),
      fc.double({ min: 0.001, max: 1, noNaN: true }),
      (values, q) => {
        const sorted = values.toSorted((a, b) => a - b)
        const found = percentile(sorted, q)
        expect(values).toContain(found)
        expect(values.filter((value) => value <= found).length).toBeGreaterThanOrEqual(q * values.length - 1e-9)
      },
    ),
  )
})

test('latencies are sorted as numbers and not as text', () => {
  expect(latencyOf([100, 9, 20])).toEqual({ p50Ms: 20, p95Ms: 100, p99Ms: 100, maxMs: 100 })
})

test('a ratio is one of values of the same round', () => {
  expect(ratioOf([10, 30], [5, 10])).toEqual([2, 3])
  expect(() => ratioOf([1, 2], [1])).toThrow('a ratio of 2 rounds to 1')
})

test('a goal is met at its very value only where it says so', () => {
  expect(meetsGoal(10, { comparison: '≥', value: 10 })).toBe(true)
  expect(meetsGoal(9.99, { comparison: '≥', value: 10 })).toBe(false)
  expect(meetsGoal(20, { comparison: '≤', value: 20 })).toBe(true)
  expect(meetsGoal(20, { comparison: '<', value: 20 })).toBe(false)
})

test('rounds are interleaved, and each begins with another contender', async () => {
  const order: string[] = []
  const contender = (name: string) => ({
    name,
    measure: async () => {
      order.push(name)
      return order.length
    },
  })
  const options = { rounds: 3, terminal: openTerminal({ write: () => true }), signal: new AbortController().signal }
  const measured = await runRounds('letters', options, [contender('a'), contender('b'), contender('c')])
  expect(order.join('')).toBe('abcbcacab')
  expect(measured).toEqual({ a: [1, 6, 8], b: [2, 4, 9], c: [3, 5, 7] })
})

test('a figure is shown with its range and its goal', () => {
  const figure = { id: 'f', label: 'f', unit: '×', meaning: '', rounds: [0.8, 0.84, 0.9] }
  expect([valueText(median(figure.rounds)), rangeText(figure.rounds)]).toEqual(['0.84', '0.80 to 0.90'])
  expect(goalText({ ...figure, goal: { comparison: '≥', value: 0.85 } })).toBe('≥ 0.85 ✗')
  expect(goalText({ ...figure, goal: { comparison: '<', value: 0.85 } })).toBe('< 0.85 ✓')
  expect([goalText(figure), rangeText([1])]).toEqual(['', ''])
  expect([12_345.6, 123.4, 12.34, 1.234].map(valueText)).toEqual(['12,346', '123', '12.3', '1.23'])
})
