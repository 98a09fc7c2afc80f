/** Checks that the platform and plain SQL give the same answer. */
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import type { PlainDuration, PlainMetrics } from './plain-sql.ts'

type ReportedDuration = {
  readonly count: number
  readonly averageMs: number | null
  readonly p50Ms: number | null
  readonly p95Ms: number | null
  readonly p99Ms: number | null
}

type ReportedBucket = Omit<PlainMetrics, 'start' | 'ring' | 'talk'> & {
  readonly ring: ReportedDuration
  readonly talk: ReportedDuration
}

/** The part of the answer that is compared. */
export type MetricsReport = {
  readonly totals: ReportedBucket
  readonly buckets: readonly (ReportedBucket & { readonly start: string })[]
}

/** Two answers to one request differ, so a comparison of their speed is not valid. */
export class DifferentAnswers extends Failure {
  override readonly name = 'DifferentAnswers'
}

/** The platform stores durations in buckets; its percentiles are within this share of the exact ones. */
const PERCENTILE_ERROR = 0.01
/** Both are rounded to whole milliseconds. */
const ROUNDING_MS = 1

/**
 * Counts must be equal, averages up to rounding, percentiles up to the error that the platform documents.
 *
 * @returns how many hours with calls were compared
 * @throws {DifferentAnswers} naming the hour, the field and both values
 */
export function compareAnswers(report: MetricsReport, plain: readonly PlainMetrics[]): number {
  const hours = new Map(report.buckets.map((bucket) => [Date.parse(bucket.start), bucket as ReportedBucket]))
  let compared = 0
  for (const metrics of plain) {
    const { start } = metrics
    const name = start === null ? 'the whole' : new Date(start).toISOString()
    const bucket = start === null ? report.totals : hours.get(start)
    if (bucket === undefined) throw new DifferentAnswers(`${name} is missing from the report`)
    compareBucket(name, bucket, metrics)
    if (start === null) continue
    hours.delete(start)
    compared += 1
  }
  for (const [start, { calls }] of hours) {
    if (calls !== 0)
      throw new DifferentAnswers(`${new Date(start).toISOString()} has ${calls} calls in the report only`)
  }
  return compared
}

function compareBucket(name: string, bucket: ReportedBucket, plain: PlainMetrics): void {
  const same = (field: string, ours: number | null | undefined, theirs: number | null, allowed: number) => {
    const equal =
      ours === null || ours === undefined || theirs === null ? ours === theirs : Math.abs(ours - theirs) <= allowed
    if (!equal) throw new DifferentAnswers(`${name}: ${field} is ${ours} in the report and ${theirs} in plain SQL`)
  }
  for (const field of ['calls', 'connected', 'inbound', 'outbound'] as const)
    same(field, bucket[field], plain[field], 0)
  for (const [state, count] of Object.entries(plain.states)) same(state, bucket.states[state], count, 0)
  for (const field of ['ring', 'talk'] as const) {
    const ours = bucket[field]
    const theirs: PlainDuration = plain[field]
    same(`${field}.count`, ours.count, theirs.count, 0)
    same(`${field}.averageMs`, ours.averageMs, theirs.averageMs, ROUNDING_MS)
    for (const [i, percentile] of (['p50Ms', 'p95Ms', 'p99Ms'] as const).entries()) {
      const exact = theirs.percentilesMs[i] ?? null
      same(`${field}.${percentile}`, ours[percentile], exact, (exact ?? 0) * PERCENTILE_ERROR + ROUNDING_MS)
    }
  }
}
