import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSeriesRecorder } from '../../bench/sample/series-recorder.ts'

test('what only grows is kept as its rate a second, and what it grew by in all', () => {
  const recorder = createSeriesRecorder(0)
  for (const [atMs, total] of [
    [0, 100],
    [2000, 104],
    [3000, 104],
    [4000, 110],
  ] as const) {
    recorder.begin(atMs)
    recorder.growth('requests', total)
  }
  expect(recorder.series('requests')).toEqual([null, 2, 0, 6])
  expect(recorder.grown('requests')).toBe(10)
  expect(recorder.atSeconds()).toEqual([0, 2, 3, 4])
})

test('what is not there before it is counted first has grown from zero', () => {
  const recorder = createSeriesRecorder(0)
  recorder.begin(0)
  recorder.growth('requests', 100, undefined)
  recorder.begin(2000)
  recorder.growth('requests', 102, 0)
  recorder.growth('failures', 16, 0)
  recorder.begin(4000)
  recorder.growth('failures', 18, 0)
  expect(recorder.grown('requests')).toBe(2)
  expect(recorder.grown('failures')).toBe(18)
  expect(recorder.series('failures')).toEqual([null, 8, 1])
})

test('a value that never changes is kept as one number', () => {
  const recorder = createSeriesRecorder(0)
  for (let at = 0; at < 5; at++) {
    recorder.begin(at * 1000)
    recorder.gauge('sockets', 7)
    recorder.growth('errors', 3)
  }
  expect(recorder.series('sockets')).toBe(7)
  expect(recorder.series('errors')).toBe(0)
})

test('what did not answer is null, and is not taken for zero', () => {
  const recorder = createSeriesRecorder(0)
  recorder.begin(0)
  recorder.gauge('lag', 1)
  recorder.begin(1000)
  recorder.gauge('lag', undefined)
  recorder.begin(2000)
  recorder.begin(3000)
  recorder.gauge('lag', 2)
  recorder.gauge('late', 5)
  expect(recorder.series('lag')).toEqual([1, null, null, 2])
  expect(recorder.series('late')).toEqual([null, null, null, 5])
})

test('a server that was restarted counts from zero: nothing is lost but the moment itself', () => {
  const recorder = createSeriesRecorder(0)
  for (const [i, total] of [10, 20, 2, 5].entries()) {
    recorder.begin(i * 1000)
    recorder.growth('requests', total)
  }
  expect(recorder.series('requests')).toEqual([null, 10, null, 3])
  expect(recorder.grown('requests')).toBe(13)
})

test('a growth over a gap is spread over the gap', () => {
  const recorder = createSeriesRecorder(0)
  for (const [i, total] of [0, null, null, 30].entries()) {
    recorder.begin(i * 1000)
    recorder.growth('bytes', total)
  }
  expect(recorder.series('bytes')).toEqual([null, null, null, 10])
})

test('however the totals rise, the rates add up to what was grown', () => {
  const steps = fc.array(
    fc.record({ afterMs: fc.integer({ min: 1, max: 5000 }), by: fc.integer({ min: 0, max: 1000 }) }),
    {
      minLength: 2,
      maxLength: 40,
    },
  )
  fc.assert(
    fc.property(steps, (steps) => {
      const recorder = createSeriesRecorder(0)
      let at = 0
      let total = 0
      for (const { afterMs, by } of steps) {
        at += afterMs
        total += by
        recorder.begin(at)
        recorder.growth('n', total)
      }
      const series = recorder.series('n')
      const seconds = recorder.atSeconds()
      const rates = typeof series === 'number' ? steps.map(() => series) : series
      const sum = rates.reduce<number>(
        (sum, rate, i) => (i === 0 ? sum : sum + (rate ?? 0) * (seconds[i]! - seconds[i - 1]!)),
        0,
      )
      const grown = total - steps[0]!.by
      expect(recorder.grown('n')).toBe(grown)
      // Rates have four digits, times hundredths of a second.
      const tolerance = rates.reduce<number>((most, rate) => most + 0.01 * (rate ?? 0), 0) + grown * 0.001
      expect(Math.abs(sum - grown)).toBeLessThanOrEqual(tolerance + 1e-9)
    }),
  )
})
