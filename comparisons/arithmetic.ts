import { median as medianOf } from '@hopwhistle/platform/lib/median.ts'

/** The middle value; for an even number, the mean of the two in the middle. @throws {RangeError} for no values */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('there is no median of no values')
  return medianOf(values)
}

/** @throws {RangeError} for no values */
export function range(values: readonly number[]): readonly [least: number, most: number] {
  if (values.length === 0) throw new RangeError('there is no range of no values')
  return [Math.min(...values), Math.max(...values)]
}

/**
 * The smallest measured value that a share `q` of the values does not exceed (nearest rank).
 *
 * @param sorted from the smallest to the largest
 * @throws {RangeError} for no values
 */
export function percentile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) throw new RangeError('there is no percentile of no values')
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!
}

export type Latency = {
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** @throws {RangeError} for no values */
export function latencyOf(valuesMs: readonly number[]): Latency {
  const sorted = Float64Array.from(valuesMs).sort()
  const at = (q: number) => percentile(sorted, q)
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99), maxMs: at(1) }
}
