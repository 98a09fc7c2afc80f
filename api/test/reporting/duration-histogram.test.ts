import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addCounts, addEntries, emptyHistogram, percentiles } from '../../src/reporting/duration-histogram.ts'

const QS = [0.5, 0.95, 0.99]
/** As hopwhistle.duration_bucket does. */
const bucketOf = (ms: number) => 1 + Math.ceil(Math.log(Math.max(ms, 1)) / Math.log(1.01 / 0.99))
/** As hopwhistle.fold_histogram keeps them. */
function stored(buckets: readonly number[]): string {
  const first = Math.min(...buckets)
  const bytes = Buffer.alloc(2 + 4 * (Math.max(...buckets) - first + 1))
  bytes.writeInt16BE(first)
  for (const bucket of buckets) {
    const at = 2 + 4 * (bucket - first)
    bytes.writeInt32BE(bytes.readInt32BE(at) + 1, at)
  }
  return `\\x${bytes.toString('hex')}`
}
const durations = fc.array(fc.integer({ min: 1, max: 90 * 86_400_000 }), { minLength: 1, maxLength: 300 })

test('percentiles are within 1 % of the exact ones', () => {
  fc.assert(
    fc.property(durations, (ms) => {
      const histogram = emptyHistogram()
      addEntries(histogram, `{${ms.map(bucketOf)}}`)
      const sorted = ms.toSorted((a, b) => a - b)
      percentiles(histogram, QS).forEach((estimate, i) => {
        const exact = sorted[Math.max(1, Math.ceil((QS[i] as number) * ms.length)) - 1] as number
        expect(Math.abs((estimate as number) - exact) / exact).toBeLessThanOrEqual(0.0101)
      })
    }),
  )
})

test('histograms add up to the histogram of everything, and entries taken back were never there', () => {
  fc.assert(
    fc.property(durations, durations, durations, (a, b, gone) => {
      const parts = emptyHistogram()
      addCounts(parts, stored(a.map(bucketOf)))
      addEntries(parts, `{${[...b, ...gone].map(bucketOf)}}`)
      addEntries(parts, `{${gone.map((ms) => -bucketOf(ms))}}`)
      const whole = emptyHistogram()
      addEntries(whole, `{${[...a, ...b].map(bucketOf)}}`)
      expect(parts.counts).toEqual(whole.counts)
    }),
  )
})

test('without durations there are no percentiles', () => {
  const histogram = emptyHistogram()
  addEntries(histogram, '{7,-7}')
  expect(percentiles(histogram, QS)).toEqual([null, null, null])
})
