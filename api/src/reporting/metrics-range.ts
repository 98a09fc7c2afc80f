import { TimeOutOfRange } from '../errors/catalogue.ts'
import { parseTime } from './parse-time.ts'

export const GRANULARITIES = ['hour', 'day'] as const
export type Granularity = (typeof GRANULARITIES)[number]

/** Whole buckets, in UTC: from `fromMs` until just before `toMs`. */
export type MetricsRange = { readonly granularity: Granularity; readonly fromMs: number; readonly toMs: number }

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
export const BUCKET_MS: Readonly<Record<Granularity, number>> = { hour: HOUR_MS, day: DAY_MS }

/** The longest range, and the one that is meant when none is given, in days. */
export const RANGE_DAYS = { hour: { most: 92, usual: 1 }, day: { most: 400, usual: 30 } } as const

/**
 * The range that a query means: `from` rounded down and `to` rounded up to whole buckets, so that whoever asks for
 * "until now" within one bucket asks for the same. Without `to`, until now; without `from`, the usual length.
 *
 * @throws {InvalidRequest} a time that is none
 * @throws {TimeOutOfRange} an empty range, or one longer than is allowed
 */
export function parseMetricsRange(
  query: { readonly granularity: Granularity; readonly from?: string; readonly to?: string },
  nowMs: number,
): MetricsRange {
  const { granularity } = query
  const bucketMs = BUCKET_MS[granularity]
  const { most, usual } = RANGE_DAYS[granularity]
  const givenTo = parseTime('to', query.to) ?? nowMs
  const givenFrom = parseTime('from', query.from)
  const toMs = Math.ceil(givenTo / bucketMs) * bucketMs
  const fromMs = givenFrom === undefined ? toMs - usual * DAY_MS : Math.floor(givenFrom / bucketMs) * bucketMs
  if (givenFrom !== undefined && givenFrom >= givenTo) {
    throw TimeOutOfRange('from', query.from as string, `before to, which is ${new Date(givenTo).toISOString()}`)
  }
  // As it was given: rounding may add a bucket.
  if (givenFrom !== undefined && givenTo - givenFrom > most * DAY_MS) {
    const days = Math.ceil((givenTo - givenFrom) / DAY_MS)
    throw TimeOutOfRange(
      'from',
      query.from as string,
      `at most ${most} days before to by the ${granularity}, not ${days}`,
    )
  }
  return { granularity, fromMs, toMs }
}

/** Where its buckets begin, and where the last one ends: Unix milliseconds. */
export function bordersOf({ granularity, fromMs, toMs }: MetricsRange): readonly number[] {
  const borders: number[] = []
  for (let atMs = fromMs; atMs < toMs; atMs += BUCKET_MS[granularity]) borders.push(atMs)
  return [...borders, toMs]
}
