import { gamma } from '@hopwhistle/contract/latency-buckets.ts'

/**
 * Counts of durations in the log buckets of api/migrations/0004_call_metrics.sql: bucket b, from 1, holds
 * (γ^(b-2), γ^(b-1)] ms with γ = 1.01/0.99. Histograms add up; a percentile is within 1 % of the exact one.
 */
export type DurationHistogram = {
  readonly counts: Float64Array
  /** Only buckets from here … */
  low: number
  /** … to here were ever touched. */
  high: number
  /** All counts together. */
  total: number
}

/** To add what is counted, or to take it away again. */
export type Sign = 1 | -1

const GAMMA = gamma(0.01)
/** The bucket of the largest bigint, and room to spare. */
const BUCKETS = 2_200

export function emptyHistogram(): DurationHistogram {
  return { counts: new Float64Array(BUCKETS), low: BUCKETS, high: -1, total: 0 }
}

export function clearHistogram(histogram: DurationHistogram): void {
  if (histogram.high >= 0) histogram.counts.fill(0, histogram.low, histogram.high + 1)
  histogram.low = BUCKETS
  histogram.high = -1
  histogram.total = 0
}

/** Adds a histogram as hopwhistle.fold_histogram keeps it, in the text form of bytea. */
export function addCounts(histogram: DurationHistogram, given: string, sign: Sign = 1): void {
  const bytes = Buffer.from(given.slice(HEX_PREFIX.length), 'hex')
  const first = bytes.readInt16BE(0)
  for (let at = 2; at < bytes.length; at += 4) put(histogram, first + (at - 2) / 4, sign * bytes.readInt32BE(at))
}

const HEX_PREFIX = '\\x'

/** Adds signed entries, in the text form of an array: b is one more in bucket b, -b one less. */
export function addEntries(histogram: DurationHistogram, entries: string): void {
  eachNumber(entries, (entry) => put(histogram, Math.abs(entry), Math.sign(entry)))
}

export function addHistogram(
  histogram: DurationHistogram,
  { low, high, counts, total }: DurationHistogram,
  sign: Sign = 1,
): void {
  for (let bucket = low; bucket <= high; bucket++) {
    histogram.counts[bucket] = (histogram.counts[bucket] as number) + sign * (counts[bucket] as number)
  }
  histogram.low = Math.min(histogram.low, low)
  histogram.high = Math.max(histogram.high, high)
  histogram.total += sign * total
}

function put(histogram: DurationHistogram, bucket: number, count: number): void {
  histogram.counts[bucket] = (histogram.counts[bucket] as number) + count
  if (bucket < histogram.low) histogram.low = bucket
  if (bucket > histogram.high) histogram.high = bucket
  histogram.total += count
}

/**
 * The estimates below which the shares `qs` (ascending) of all durations lie, in ms; null for each when there are none.
 *
 * The same rule as hopwhistle.fold_histogram, which makes the stored ones.
 */
export function percentiles(
  { counts, low, high, total }: DurationHistogram,
  qs: readonly number[],
): readonly (number | null)[] {
  if (total <= 0) return qs.map(() => null)
  const found: number[] = []
  let bucket = low - 1
  let below = 0
  // No closure: variables that one changes are kept outside of registers.
  for (const q of qs) {
    const wanted = Math.max(1, Math.ceil(q * total))
    while (below < wanted && bucket < high) {
      bucket += 1
      below += counts[bucket] as number
    }
    found.push(bucketEstimateMs(bucket))
  }
  return found
}

function bucketEstimateMs(bucket: number): number {
  return (2 * GAMMA ** (bucket - 1)) / (GAMMA + 1)
}

const COMMA = 44
const MINUS = 45
const ZERO = 48

/** The integers of an array literal. By hand: there may be thousands, and splitting makes garbage. */
function eachNumber(literal: string, use: (number: number) => void): void {
  if (literal === '{}') return
  let value = 0
  let sign = 1
  const end = literal.length - 1
  for (let i = 1; i < end; i++) {
    const code = literal.charCodeAt(i)
    if (code === COMMA) {
      use(sign * value)
      value = 0
      sign = 1
    } else if (code === MINUS) sign = -1
    else value = value * 10 + code - ZERO
  }
  use(sign * value)
}
