import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LATENCY_BUCKETS } from '../../../contract/latency-buckets.ts'
import {
  bucketEstimateMs,
  bucketIndex,
  bucketUpperMs,
  EMPTY_HISTOGRAM,
  histogramCount,
  histogramOf,
  histogramOfValues,
  mergeHistograms,
  nearestRank,
  percentileMs,
  shareAtOrBelow,
  subtractHistograms,
} from '../../scenarios/lib/histogram.ts'

const latency = fc.double({ min: LATENCY_BUCKETS.minMs, max: 120_000, noNaN: true })
const latencies = fc.array(latency, { minLength: 1, maxLength: 300 })

describe('a bucket', () => {
  test('has an estimate within the promised error of everything it holds', () => {
    fc.assert(
      fc.property(latency, (ms) => {
        const estimate = bucketEstimateMs(bucketIndex(ms))
        expect(Math.abs(estimate - ms) / ms).toBeLessThanOrEqual(LATENCY_BUCKETS.relativeError + 1e-9)
      }),
    )
  })

  test('takes what lies outside the range: the first what is too small, the last what is too large', () => {
    expect([-5, 0, 0.1, Number.NaN].map(bucketIndex)).toEqual([0, 0, 0, 0])
    expect(bucketIndex(1e9)).toBe(LATENCY_BUCKETS.count - 1)
    expect(bucketUpperMs(LATENCY_BUCKETS.count - 1)).toBeGreaterThan(120_000)
  })
})

describe('percentiles', () => {
  test('of merged buckets are those of the pooled values, to the promised error', () => {
    fc.assert(
      fc.property(latencies, latencies, fc.double({ min: 0, max: 100, noNaN: true }), (a, b, percent) => {
        const merged = mergeHistograms([histogramOfValues(a), histogramOfValues(b)])
        const pooled = [...a, ...b].sort((x, y) => x - y)
        const exact = pooled[nearestRank(percent, pooled.length) - 1]!
        expect(histogramCount(merged)).toBe(pooled.length)
        expect(Math.abs(percentileMs(merged, percent)! - exact) / exact).toBeLessThanOrEqual(0.01 + 1e-9)
      }),
    )
  })

  test('of nothing are undefined, never 0', () => {
    expect(percentileMs(EMPTY_HISTOGRAM, 95)).toBeUndefined()
    expect(shareAtOrBelow(EMPTY_HISTOGRAM, 100)).toBeUndefined()
    expect(percentileMs(mergeHistograms([]), 50)).toBeUndefined()
  })

  test('keep their rank where floating point would push it up', () => {
    expect(nearestRank(99.9, 1000)).toBe(999)
    expect(nearestRank(0, 10)).toBe(1)
    expect(nearestRank(100, 10)).toBe(10)
  })

  test('outside 0 to 100 are refused', () => {
    expect(() => percentileMs(EMPTY_HISTOGRAM, 101)).toThrow('percentile is 101; it may be 0 to 100')
  })
})

test('two snapshots subtracted give what lay between them', () => {
  fc.assert(
    fc.property(latencies, latencies, (before, after) => {
      const earlier = histogramOfValues(before)
      const later = histogramOfValues([...before, ...after])
      expect(subtractHistograms(later, earlier)).toEqual(histogramOfValues(after))
    }),
  )
  expect(() => subtractHistograms(EMPTY_HISTOGRAM, histogramOf([[3, 1]]))).toThrow('bucket 3 shrank by 1')
})

test('histograms of different shape are refused', () => {
  const coarse = histogramOf([[1, 1]], { minMs: 0.1, relativeError: 0.05 })
  expect(() => mergeHistograms([EMPTY_HISTOGRAM, coarse])).toThrow('different shape')
})

test('the share below a limit counts only buckets that end below it', () => {
  const share = shareAtOrBelow(histogramOfValues([1, 2, 3, 400]), 300)
  expect(share).toBe(0.75)
})
