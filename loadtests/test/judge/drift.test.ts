import fc from 'fast-check'
import { expect, test } from 'vitest'
import { judge } from '../../bench/judge/judge.ts'
import { driftOf } from '../../bench/judge/rules/drift.ts'
import type { HistogramData, SeriesPoint } from '../../results-format.ts'
import { histogramOfValues } from '../../scenarios/lib/histogram.ts'
import { resultWith } from '../fixtures/result-with.ts'

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

test('a soak says that its latencies rise, and the same run as another profile does not', () => {
  const whole = resultWith({ profile: 'full' })
  const peak = whole.runners[0]!.settings.phases.find(({ name }) => name === 'peak')!
  const start = Date.parse(whole.runners[0]!.startedAt)
  const slower = (i: number): HistogramData => histogramOfValues(Array.from({ length: 100 }, () => 20 + i / 4))
  const series = Array.from({ length: 100 }, (_, i): SeriesPoint => {
    const at = start + 1000 * (peak.fromSeconds + ((i + 1) * (peak.toSeconds - peak.fromSeconds)) / 101)
    return {
      at: new Date(at).toISOString(),
      windowSeconds: 60,
      counters: {},
      histograms: { update_latency_peak: slower(i) },
    }
  })
  const drifts = (profile: 'soak' | 'full') =>
    judge({ ...whole, profile, series })
      .reasons.filter(({ rule }) => rule === 'drift')
      .map(({ text }) => text)
  expect(drifts('soak')).toEqual([
    expect.stringMatching(
      /^drift: p95 of updates rises, from 2\d ms in the first quarter of the peak to 4\d ms in the last$/,
    ),
  ])
  expect(drifts('full')).toEqual([])
})
