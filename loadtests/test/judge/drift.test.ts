import fc from 'fast-check'
import { expect, test } from 'vitest'
import { driftOf } from '../../bench/judge/rules/drift.ts'

/** 0 to 1, the same for the same seed. */
function* noise(seed: number): Generator<number, never> {
  for (let state = seed >>> 0; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    yield state / 2 ** 32
  }
}

test('noise without a drift is rarely called one, and a drift of a third almost always', () => {
  const runs = 1_000
  let [alarms, found] = [0, 0]
  for (let seed = 1; seed <= runs; seed++) {
    const random = noise(seed * 7919)
    const flat = Array.from({ length: 20 }, () => 10 + 4 * random.next().value)
    if (driftOf(flat) !== undefined) alarms += 1
    if (driftOf(flat.map((value, i) => value + (i * 6) / 20)) !== undefined) found += 1
  }
  expect(alarms).toBeLessThanOrEqual(5)
  expect(found).toBeGreaterThan(0.95 * runs)
})

test('a drift does not depend on the unit, and turns around with time', () => {
  const values = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 20, maxLength: 20 })
  fc.assert(
    fc.property(values, (some) => {
      const found = driftOf(some)
      expect(driftOf(some.map((value) => 1024 * value)) === undefined).toBe(found === undefined)
      const rising = some.toSorted((a, b) => a - b)
      const [up, down] = [driftOf(rising), driftOf(rising.toReversed())]
      if (up !== undefined && down !== undefined) expect(up).toEqual({ first: down.last, last: down.first })
    }),
  )
})
