/**
 * Logarithmic latency buckets: pure functions, used by k6 while it records and by Node when it merges and reads.
 *
 * The bucket edges are those of the contract's `LATENCY_BUCKETS`. Counts of any number of processes add up to the
 * true distribution, and any percentile of the sum is within the relative error of the value that sorting all
 * samples would have given. `bucket-names.ts` says how k6 counts them.
 *
 * No library, because k6 resolves no npm packages, and what it counts must be k6 counters.
 */
import { gamma, LATENCY_BUCKETS } from '../../../contract/latency-buckets.ts'
import type { HistogramData } from '../../results-format.ts'

const PER_LOG = 1 / Math.log(gamma(LATENCY_BUCKETS.relativeError))
const LAST_INDEX = LATENCY_BUCKETS.count - 1

/**
 * The bucket of a latency. What is below the smallest edge (clocks that step back included) counts in bucket 0,
 * what is above the largest (about 130 s) in the last.
 */
export function bucketIndex(ms: number): number {
  if (!(ms > LATENCY_BUCKETS.minMs)) return 0
  const index = Math.ceil(Math.log(ms / LATENCY_BUCKETS.minMs) * PER_LOG)
  return Math.min(index, LAST_INDEX)
}

type Shape = Pick<HistogramData, 'minMs' | 'relativeError'>

/** The value in ms that is within the relative error of everything in the bucket. */
export function bucketEstimateMs(index: number, shape: Shape = LATENCY_BUCKETS): number {
  const g = gamma(shape.relativeError)
  return (2 * shape.minMs * g ** index) / (g + 1)
}

/** The largest value in ms that the bucket holds. */
export function bucketUpperMs(index: number, shape: Shape = LATENCY_BUCKETS): number {
  return shape.minMs * gamma(shape.relativeError) ** index
}

export const EMPTY_HISTOGRAM: HistogramData = {
  minMs: LATENCY_BUCKETS.minMs,
  relativeError: LATENCY_BUCKETS.relativeError,
  counts: [],
}

/** A histogram of counts by bucket index; empty buckets are left out. */
export function histogramOf(
  counts: Iterable<readonly [number, number]>,
  shape: Shape = LATENCY_BUCKETS,
): HistogramData {
  const sorted = [...counts].filter(([, count]) => count !== 0).sort(([a], [b]) => a - b)
  return { minMs: shape.minMs, relativeError: shape.relativeError, counts: sorted }
}

/** A histogram of plain values in ms. */
export function histogramOfValues(valuesMs: Iterable<number>): HistogramData {
  const counts = new Map<number, number>()
  for (const ms of valuesMs) add(counts, bucketIndex(ms), 1)
  return histogramOf(counts)
}

/**
 * The distribution of everything that the given histograms counted.
 *
 * @throws {RangeError} when they have not the same shape: such counts do not add up
 */
export function mergeHistograms(histograms: readonly HistogramData[]): HistogramData {
  const [first = EMPTY_HISTOGRAM] = histograms
  const sum = new Map<number, number>()
  for (const histogram of histograms) {
    requireSameShape(first, histogram)
    for (const [index, count] of histogram.counts) add(sum, index, count)
  }
  return histogramOf(sum, first)
}

/**
 * What was counted between two snapshots of the same cumulative histogram.
 *
 * @throws {RangeError} when the shapes differ or a bucket has shrunk: then they are not such snapshots
 */
export function subtractHistograms(later: HistogramData, earlier: HistogramData): HistogramData {
  requireSameShape(later, earlier)
  const difference = new Map(later.counts)
  for (const [index, count] of earlier.counts) add(difference, index, -count)
  for (const [index, count] of difference) {
    if (count < 0) throw new RangeError(`bucket ${index} shrank by ${-count} between two snapshots`)
  }
  return histogramOf(difference, later)
}

/** How many values a histogram holds. */
export function histogramCount(histogram: HistogramData): number {
  let total = 0
  for (const [, count] of histogram.counts) total += count
  return total
}

/**
 * The smallest value with at least `percent` % of all values at or below it (nearest rank), in ms.
 *
 * @param percent 0 to 100; 0 asks for the smallest value
 * @returns undefined when nothing was counted: no samples is not a latency of 0
 */
export function percentileMs(histogram: HistogramData, percent: number): number | undefined {
  if (!(percent >= 0 && percent <= 100)) throw new RangeError(`percentile is ${percent}; it may be 0 to 100`)
  const rank = nearestRank(percent, histogramCount(histogram))
  let seen = 0
  for (const [index, count] of histogram.counts) {
    seen += count
    if (seen >= rank) return bucketEstimateMs(index, histogram)
  }
  return undefined
}

/** The share of values, 0 to 1, in buckets that end at or below `limitMs`; undefined when nothing was counted. */
export function shareAtOrBelow(histogram: HistogramData, limitMs: number): number | undefined {
  const total = histogramCount(histogram)
  if (total === 0) return undefined
  let below = 0
  for (const [index, count] of histogram.counts) if (bucketUpperMs(index, histogram) <= limitMs) below += count
  return below / total
}

/** The place, from 1, of the nearest-rank percentile among `count` sorted values. */
export function nearestRank(percent: number, count: number): number {
  // The subtraction keeps 99.9 % of 1,000 at 999, though 0.999 × 1000 is a hair more in floating point.
  return Math.max(1, Math.ceil((percent / 100) * count - 1e-9))
}

function requireSameShape(a: Shape, b: Shape): void {
  if (a.minMs === b.minMs && a.relativeError === b.relativeError) return
  throw new RangeError(
    `histograms of different shape cannot be combined: ${a.minMs} ms at ${a.relativeError} and ${b.minMs} ms at ${b.relativeError}`,
  )
}

function add(counts: Map<number, number>, index: number, count: number): void {
  counts.set(index, (counts.get(index) ?? 0) + count)
}
