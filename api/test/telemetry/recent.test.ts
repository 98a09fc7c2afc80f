import { expect, test } from 'vitest'
import { createRecentMax, steady } from '../../src/telemetry/recent.ts'

test('the largest value is there for one to two windows, whoever reads it', () => {
  let now = 0
  const max = createRecentMax(10, () => now)
  max.add(7)
  max.add(3)
  for (const [at, expected] of [
    [0, 7],
    [9, 7],
    [9, 7],
    [19, 7],
    [20, 0],
  ] as const) {
    now = at
    expect([at, max.read()]).toEqual([at, expected])
  }
  max.add(5)
  now = 45
  expect(max.read()).toBe(0)
})

test('what is measured since it was last measured is measured every 5 s at most', () => {
  let now = 0
  let measured = 0
  const read = steady(
    () => ++measured,
    () => now,
  )
  const at = (ms: number) => {
    now = ms
    return read()
  }
  expect([at(0), at(1), at(4_999), at(5_000), at(5_001), at(60_000)]).toEqual([1, 1, 1, 2, 2, 3])
})
