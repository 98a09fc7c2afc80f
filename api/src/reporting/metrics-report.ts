import type { DurationHistogram } from './duration-histogram.ts'
import { addCounts, addEntries, emptyHistogram, percentiles } from './duration-histogram.ts'
import type { BucketTexts, Duration } from './metrics-json.ts'
import { bucketJson, COUNTS, DURATIONS } from './metrics-json.ts'
import type { MetricsRange } from './metrics-range.ts'
import { BUCKET_MS } from './metrics-range.ts'
import type { MetricsRow } from './metrics-statement.ts'

/** Sums of COUNTS, in their order, and the durations behind them. */
type Sums = { readonly counts: number[]; readonly ring: DurationHistogram; readonly talk: DurationHistogram }

const SECOND_MS = 1000

/**
 * The metrics of a range as the fields of their JSON, without braces: every bucket of the range is there, zero
 * where no call started. Percentiles are of all the calls of a bucket, or of the range; never averaged.
 */
export function metricsFields(rows: readonly MetricsRow[], range: MetricsRange): string {
  const { bodyOf, totals, stale } = collect(rows)
  let buckets = ''
  let allStale = 0
  const startOf = starts()
  const lengthMs = BUCKET_MS[range.granularity]
  for (let atMs = range.fromMs; atMs < range.toMs; atMs += lengthMs) {
    const body = bodyOf(atMs)
    const ofBucket = staleOf(body, atMs, atMs + lengthMs, stale)
    allStale += ofBucket
    buckets += `${buckets === '' ? '' : ','}{"start":"${startOf(atMs)}",${body},"stale":${ofBucket}}`
  }
  return (
    `"granularity":"${range.granularity}","from":"${isoSeconds(range.fromMs)}","to":"${isoSeconds(range.toMs)}",` +
    `"totals":{${totals},"stale":${allStale}},"buckets":[${buckets}]`
  )
}

/** The JSON of each bucket by its start, and of the whole range; without braces, and without what is stale. */
export function collect(rows: readonly MetricsRow[]): {
  readonly bodyOf: (atMs: number) => string
  readonly totals: string
  readonly stale: Stale
} {
  const ready = new Map<number, string>()
  const changed = new Map<number, Sums>()
  const totals = nothing()
  let stale = NOTHING_STALE
  for (const row of rows) {
    if (row.kind === 'stale') {
      stale = { beforeMs: Number(row.at) * SECOND_MS, earlierInBucket: Number(row.body) }
      continue
    }
    if (row.kind === 'ready') {
      for (const line of row.body.split('\n')) {
        const space = line.indexOf(' ')
        ready.set(Number(line.slice(0, space)) * SECOND_MS, line.slice(space + 1))
      }
      continue
    }
    const atMs = Number(row.at) * SECOND_MS
    if (row.kind !== 'part') {
      const sums = changed.get(atMs) ?? nothing()
      changed.set(atMs, sums)
      add(sums, row)
    }
    // A changed bucket is in a part of the whole already.
    if (row.kind !== 'changed') add(totals, row)
  }
  for (const [atMs, sums] of changed) ready.set(atMs, bucketJson(texts(sums)))
  return { bodyOf: (atMs) => ready.get(atMs) ?? EMPTY, totals: bucketJson(texts(totals)), stale }
}

/** Calls that have not ended and began before are stale; `earlierInBucket` are those of them in the bucket that this time is in. */
export type Stale = { readonly beforeMs: number; readonly earlierInBucket: number }

export const NOTHING_STALE: Stale = { beforeMs: 0, earlierInBucket: 0 }

/** As many as have no final state, once all of the bucket is old enough. */
export function staleOf(body: string, fromMs: number, toMs: number, { beforeMs, earlierInBucket }: Stale): number {
  if (fromMs >= beforeMs) return 0
  if (toMs > beforeMs) return earlierInBucket
  const [, initiated, ringing, answered] = UNDER_WAY.exec(body) ?? []
  return Number(initiated) + Number(ringing) + Number(answered)
}

const UNDER_WAY = /"INITIATED":(\d+),"RINGING":(\d+),"ANSWERED":(\d+)/

function nothing(): Sums {
  return { counts: COUNTS.map(() => 0), ring: emptyHistogram(), talk: emptyHistogram() }
}

function add(sums: Sums, row: MetricsRow): void {
  row.body.split(',').forEach((count, i) => {
    sums.counts[i] = (sums.counts[i] as number) + Number(count)
  })
  for (const of of DURATIONS) {
    const histogram = row[`${of}_histogram` as const]
    const entries = row[`${of}_entries` as const]
    if (histogram !== null) addCounts(sums[of], histogram)
    if (entries !== null) addEntries(sums[of], entries)
  }
}

function texts(sums: Sums): BucketTexts {
  const counts = Object.fromEntries(COUNTS.map((name, i) => [name, String(sums.counts[i])]))
  return { ...counts, ...estimates(sums, 'ring'), ...estimates(sums, 'talk') } as BucketTexts
}

const PERCENTILES = [0.5, 0.95, 0.99] as const

function estimates(sums: Sums, of: Duration): Record<string, string> {
  const count = sums.counts[COUNTS.indexOf(`${of}_count`)] as number
  const totalMs = sums.counts[COUNTS.indexOf(`${of}_total_ms`)] as number
  const [p50, p95, p99] = percentiles(sums[of], PERCENTILES)
  return {
    [`${of}_average_ms`]: rounded(count === 0 ? null : totalMs / count),
    [`${of}_p50_ms`]: rounded(p50),
    [`${of}_p95_ms`]: rounded(p95),
    [`${of}_p99_ms`]: rounded(p99),
  }
}

/** Halves to the even number, as Postgres rounds in the bodies that it keeps: a bucket reads the same folded or not. */
export function rounded(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return 'null'
  const up = Math.round(ms)
  return String(up - ms === 0.5 && up % 2 !== 0 ? up - 1 : up)
}

const EMPTY = bucketJson(texts(nothing()))

/** `isoSeconds` of full hours, one after the other: formatting a date for each takes longer than the rest of its bucket. */
function starts(): (atMs: number) => string {
  let dayMs = Number.NaN
  let day = ''
  return (atMs) => {
    const hourMs = atMs % BUCKET_MS.day
    if (atMs - hourMs !== dayMs) {
      dayMs = atMs - hourMs
      day = new Date(dayMs).toISOString().slice(0, 11)
    }
    return `${day}${String(hourMs / BUCKET_MS.hour).padStart(2, '0')}:00:00Z`
  }
}

function isoSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

/** For metrics that are not from rollups. */
export { add as addToSums, nothing as noSums, texts as textsOfSums }
