/** The search alone, against platforms that carry a known rate, on a clock of its own. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nextRate } from '../../bench/run/next-rate.ts'
import { searchRate } from '../../bench/run/search-rate.ts'

const TARGET = 500

type Platform = {
  readonly capacity: number
  readonly reached?: number
  readonly forMs?: number
  readonly stepMs?: number
  /** How long each step takes, as a part of what it usually does. */
  readonly takes?: (step: number) => number
}

async function search({ capacity, reached = capacity, forMs = 165_000, stepMs = 18_000, takes = () => 1 }: Platform) {
  let clock = 0
  let step = 0
  const tried = await searchRate({
    targetPerSecond: TARGET,
    reachedPerSecond: reached,
    forMs,
    stepMs,
    now: () => clock,
    async tryRate(rate, withinMs) {
      const ms = stepMs * takes(step++)
      clock += Math.min(ms, withinMs)
      return ms <= withinMs && rate <= capacity
    },
  })
  const held = Math.max(0, ...tried.filter(({ holds }) => holds).map(({ ratePerSecond }) => ratePerSecond))
  return { tried, held, tookMs: clock }
}

const capacities = fc.integer({ min: 1, max: TARGET - 1 })

describe('the search for the largest rate that holds', () => {
  test('finds it to within 4 % of the target and 15 % of itself, when there is time', () =>
    fc.assert(
      fc.asyncProperty(capacities, fc.integer({ min: 0, max: TARGET }), async (capacity, reached) => {
        const { held } = await search({ capacity, reached, forMs: 1e9 })
        expect(held).toBeLessThanOrEqual(capacity)
        expect(capacity - held).toBeLessThanOrEqual(Math.max(1, Math.min(0.04 * TARGET, 0.15 * held)))
      }),
    ))

  test('never takes longer than it may, however long its steps take', () =>
    fc.assert(
      fc.asyncProperty(
        capacities,
        fc.integer({ min: 0, max: 200_000 }),
        fc.array(fc.double({ min: 0.5, max: 4, noNaN: true }), { minLength: 1 }),
        async (capacity, forMs, takes) => {
          const { tookMs } = await search({ capacity, forMs, takes: (step) => takes[step % takes.length]! })
          expect(tookMs).toBeLessThanOrEqual(forMs)
        },
      ),
    ))

  test('has an answer for any platform that carries a fiftieth, in a third of three minutes', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: TARGET / 50, max: TARGET - 1 }), async (capacity) => {
        const { held, tried } = await search({ capacity, reached: TARGET, forMs: 55_000 })
        expect(tried.length).toBeLessThanOrEqual(3)
        expect(held).toBeGreaterThan(0)
      }),
    ))

  test('tries no rate twice, none that is known to fail, and a few only', () =>
    fc.assert(
      fc.asyncProperty(capacities, fc.integer({ min: 0, max: TARGET }), async (capacity, reached) => {
        const { tried } = await search({ capacity, reached })
        expect(new Set(tried.map(({ ratePerSecond }) => ratePerSecond)).size).toBe(tried.length)
        tried.forEach(({ ratePerSecond }, i) => {
          const failed = tried.slice(0, i).filter(({ holds }) => !holds)
          for (const before of failed) expect(ratePerSecond).toBeLessThan(before.ratePerSecond)
          expect(ratePerSecond).toBeGreaterThan(0)
        })
        expect(tried.length).toBeLessThanOrEqual(9)
      }),
    ))

  test('begins at half, or below what was reached where that is less', () => {
    const first = (reachedPerSecond: number) =>
      nextRate({ targetPerSecond: TARGET, reachedPerSecond, tried: [], stepsLeft: 9 })
    expect([first(505), first(100), first(0)]).toEqual([250, 80, 250])
  })

  test('of nothing that holds ends at one a second', async () => {
    const { tried, held } = await search({ capacity: 0, forMs: 1e9 })
    expect(held).toBe(0)
    expect(tried.at(-1)?.ratePerSecond).toBe(1)
  })
})
