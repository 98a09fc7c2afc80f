/**
 * Counts of durations in the log buckets of api/migrations/0004_call_metrics.sql: bucket b, from 1, holds
 * (γ^(b-2), γ^(b-1)] ms with γ = 1.01/0.99. Histograms add up; a percentile is within 1 % of the exact one.
 */
export type DurationHistogram = Float64Array

const GAMMA = 1.01 / 0.99
/** The bucket of the largest bigint, and room to spare. */
const BUCKETS = 2_200

export function emptyHistogram(): DurationHistogram {
  return new Float64Array(BUCKETS)
}

/** Adds a histogram as hopwhistle.fold_histogram keeps it, in the text form of bytea. */
export function addCounts(histogram: DurationHistogram, given: string): void {
  const bytes = Buffer.from(given.slice(HEX_PREFIX.length), 'hex')
  let bucket = bytes.readInt16BE(0)
  for (let at = 2; at < bytes.length; at += 4) {
    histogram[bucket] = (histogram[bucket] as number) + bytes.readInt32BE(at)
    bucket += 1
  }
}

const HEX_PREFIX = '\\x'

/** Adds signed entries: b is one more in bucket b, -b one less. */
export function addEntries(histogram: DurationHistogram, entries: string): void {
  for (const entry of numbers(entries)) {
    const bucket = Math.abs(entry)
    histogram[bucket] = (histogram[bucket] ?? 0) + Math.sign(entry)
  }
}

/**
 * The estimates below which the shares `qs` (ascending) of all durations lie, in ms; null for each when there are none.
 *
 * The same rule as hopwhistle.fold_histogram, which makes the stored ones.
 */
export function percentiles(histogram: DurationHistogram, qs: readonly number[]): readonly (number | null)[] {
  const total = histogram.reduce((sum, count) => sum + count, 0)
  if (total <= 0) return qs.map(() => null)
  let bucket = 0
  let below = 0
  return qs.map((q) => {
    const wanted = Math.max(1, Math.ceil(q * total))
    while (below < wanted && bucket < BUCKETS - 1) {
      bucket += 1
      below += histogram[bucket] as number
    }
    return bucketEstimateMs(bucket)
  })
}

export function bucketEstimateMs(bucket: number): number {
  return (2 * GAMMA ** (bucket - 1)) / (GAMMA + 1)
}

const COMMA = 44
const MINUS = 45
const ZERO = 48

/** The integers of an array literal. By hand: there may be thousands, and splitting makes garbage. */
function numbers(literal: string): number[] {
  const found: number[] = []
  if (literal === '{}') return found
  let value = 0
  let sign = 1
  const end = literal.length - 1
  for (let i = 1; i < end; i++) {
    const code = literal.charCodeAt(i)
    if (code === COMMA) {
      found.push(sign * value)
      value = 0
      sign = 1
    } else if (code === MINUS) sign = -1
    else value = value * 10 + code - ZERO
  }
  found.push(sign * value)
  return found
}
