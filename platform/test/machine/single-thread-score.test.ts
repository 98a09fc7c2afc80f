import { expect, test } from 'vitest'
import { measureSingleThreadScore, workRound } from '../../machine/single-thread-score.ts'

test('a round is the same work on every machine: its result is known', () => {
  expect(workRound(1)).toBe('4c0ec536d37e09c70cc77210f7f580d0725da43fdbdff1b1996795b42c27f049')
  expect(workRound(2)).not.toBe(workRound(1))
})

test('a score says which mix it is of, and does not fall when the machine is measured for longer', () => {
  const short = measureSingleThreadScore(50)
  expect(short).toEqual({ name: 'mix-1', perSecond: expect.any(Number) })
  expect(short.perSecond).toBeGreaterThan(0)
  expect(measureSingleThreadScore(1_500).perSecond).toBeGreaterThan(0.5 * short.perSecond)
})
