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

/** Adds a histogram as Postgres keeps it: the buckets that are not empty and their counts, two array literals. */
export function addCounts(histogram: DurationHistogram, buckets: string, counts: string): void {
  const at = numbers(buckets)
  const added = numbers(counts)
  for (let i = 0; i < at.length; i++) {
    const bucket = at[i] as number
    histogram[bucket] = (histogram[bucket] as number) + (added[i] as number)
  }
}

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
 * The same rule as hopwhistle.histogram_percentile, which folds the stored ones.
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

/** The integers of an array literal. By hand: a month by the hour has tens of thousands, and splitting makes garbage. */
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
