/** The statistics: what they promise holds for every series of numbers, not only for those that are normally distributed. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { evidence, scalesOf } from '../../versions/statistics/evidence.ts'
import { intervalOf } from '../../versions/statistics/interval.ts'

const effect = fc.double({ min: -3, max: 3, noNaN: true })
const series = fc.array(effect, { minLength: 1, maxLength: 30 })

/** What is owned after each round, for each of the ways in which the signs could have fallen. */
function everySign(
  sizes: readonly number[],
  assumed: number,
  direction: 'above' | 'below',
): readonly (readonly number[])[] {
  return Array.from({ length: 2 ** sizes.length }, (_, signs) => {
    const effects = sizes.map((size, i) => assumed + ((signs >> i) & 1 ? size : -size))
    return evidence(effects, scalesOf(effects), assumed, direction)
  })
}

const sizes = fc.array(fc.double({ min: 0, max: 5, noNaN: true }), { minLength: 1, maxLength: 9 })
const direction = fc.constantFrom('above', 'below')

describe('while only a coin decides the sign, whatever the sizes are,', () => {
  test('evidence is worth 1 on average', () => {
    fc.assert(
      fc.property(sizes, effect, direction, (sizes, assumed, direction) => {
        const ways = everySign(sizes, assumed, direction)
        const mean = ways.reduce((sum, way) => sum + way.at(-1)!, 0) / ways.length
        expect(mean).toBeCloseTo(1, 6)
      }),
      { numRuns: 60, seed: 1 },
    )
  })

  test('it ever reaches 20 in at most one of 20 series, although it is looked at after every round', () => {
    fc.assert(
      fc.property(sizes, direction, (sizes, direction) => {
        const ways = everySign(sizes, 0, direction)
        const reached = ways.filter((way) => way.some((value) => value >= 20)).length
        expect(reached / ways.length).toBeLessThanOrEqual(1 / 20)
      }),
      { numRuns: 60, seed: 2 },
    )
  })
})

test('evidence that the change is larger falls as the assumed change grows, and the other way round', () => {
  fc.assert(
    fc.property(series, effect, effect, (effects, a, b) => {
      const [less, more] = [Math.min(a, b), Math.max(a, b)]
      const at = (assumed: number, direction: 'above' | 'below') =>
        evidence(effects, scalesOf(effects), assumed, direction).at(-1)!
      expect(at(less, 'above')).toBeGreaterThanOrEqual(at(more, 'above'))
      expect(at(less, 'below')).toBeLessThanOrEqual(at(more, 'below'))
    }),
    { seed: 3 },
  )
})

test('the scale of a round is known before the round', () => {
  fc.assert(
    fc.property(series, effect, (effects, next) => {
      const scales = scalesOf([...effects, next])
      expect(scales.slice(0, -1)).toEqual(scalesOf(effects))
      expect(scales.at(-1)).toBe(scalesOf([...effects, next + 1]).at(-1))
      for (const scale of scales) expect(scale).toBeGreaterThan(0)
    }),
    { seed: 4 },
  )
})

describe('an interval', () => {
  const of = (effects: readonly number[], miss = 0.025) => intervalOf(effects, scalesOf(effects), miss)

  test('says nothing after a few rounds, and is mirrored when the sides are', () => {
    expect(of([0.1, 0.1, 0.1])).toEqual({ low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY })
    fc.assert(
      fc.property(series, (effects) => {
        const { low, high } = of(effects)
        const mirrored = of(effects.map((effect) => -effect))
        if (Number.isFinite(low)) expect(mirrored.high).toBeCloseTo(-low, 6)
        if (Number.isFinite(high)) expect(mirrored.low).toBeCloseTo(-high, 6)
      }),
      { seed: 5 },
    )
  })

  test('never grows with more rounds, and is wider when it may miss less', () => {
    fc.assert(
      fc.property(series, effect, (effects, next) => {
        const [before, after, surer] = [of(effects), of([...effects, next]), of(effects, 0.001)]
        expect(after.low).toBeGreaterThanOrEqual(before.low - 1e-9)
        expect(after.high).toBeLessThanOrEqual(before.high + 1e-9)
        expect(surer.low).toBeLessThanOrEqual(before.low + 1e-9)
        expect(surer.high).toBeGreaterThanOrEqual(before.high - 1e-9)
      }),
      { seed: 6 },
    )
  })

  test('lies around a change that is the same in every round', () => {
    const { low, high } = of(Array.from({ length: 30 }, () => 0.05))
    expect(low).toBeLessThan(0.05)
    expect(high).toBeGreaterThan(0.05)
    expect(high - low).toBeLessThan(0.02)
  })
})
