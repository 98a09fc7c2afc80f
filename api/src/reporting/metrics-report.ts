import { BUCKET_MS, bordersOf, type MetricsRange } from './metrics-range.ts'
import type { MetricsRow } from './metrics-statement.ts'
import { createSums, type MetricsSums } from './metrics-sums.ts'

const SECOND_MS = 1000

/**
 * The metrics of a range as the fields of their JSON, without braces: every bucket of the range is there, zero
 * where no call started. Percentiles are of all the calls of a bucket, or of the range; never averaged.
 */
export function metricsFields(rows: readonly MetricsRow[], range: MetricsRange): string {
  const { bodyOf, totals, stale } = collect(rows)
  const borders = bordersOf(range)
  return `${rangeJson(range)},${bucketsJson({ totals, borders, startOf: starts(), bodyOf, stale })}`
}

/** The fields of an answer that say which buckets it has, without braces. */
export const rangeJson = ({ granularity, fromMs, toMs }: MetricsRange): string =>
  `"granularity":"${granularity}","from":"${isoSeconds(fromMs)}","to":"${isoSeconds(toMs)}"`

/**
 * The fields with the numbers of an answer, without braces: totals and buckets, each with what is stale of it.
 *
 * @param borders of all buckets, in order: Unix milliseconds @param startOf and bodyOf take a border and its place
 * @param underWayAt calls without a final state, by the place of a bucket; not given: they are read from its body
 */
export function bucketsJson({
  totals,
  borders,
  startOf,
  bodyOf,
  underWayAt,
  stale,
}: {
  readonly totals: string
  readonly borders: readonly number[]
  readonly startOf: (atMs: number, i: number) => string
  readonly bodyOf: (atMs: number, i: number) => string
  readonly underWayAt?: ((i: number) => number) | undefined
  readonly stale: Stale
}): string {
  let buckets = ''
  let allStale = 0
  for (let i = 0; i < borders.length - 1; i++) {
    const atMs = borders[i] as number
    const body = bodyOf(atMs, i)
    const underWay = () => underWayAt?.(i) ?? underWayIn(body)
    const ofBucket = staleOf(underWay, atMs, borders[i + 1] as number, stale)
    allStale += ofBucket
    buckets += `${i === 0 ? '' : ','}{"start":"${startOf(atMs, i)}",${body},"stale":${ofBucket}}`
  }
  return `"totals":{${totals},"stale":${allStale}},"buckets":[${buckets}]`
}

/** The JSON of each bucket by its start, and of the whole range; without braces, and without what is stale. */
export function collect(rows: readonly MetricsRow[]): {
  readonly bodyOf: (atMs: number) => string
  readonly totals: string
  readonly stale: Stale
} {
  const ready = new Map<number, string>()
  const changed = new Map<number, MetricsSums>()
  const totals = createSums()
  for (const row of rows) {
    if (row.kind === 'stale') continue
    if (row.kind === 'ready') {
      for (const line of row.body.split('\n')) {
        const space = line.indexOf(' ')
        ready.set(Number(line.slice(0, space)) * SECOND_MS, line.slice(space + 1))
      }
      continue
    }
    const atMs = Number(row.at) * SECOND_MS
    if (row.kind !== 'part') {
      const sums = changed.get(atMs) ?? createSums()
      changed.set(atMs, sums)
      sums.addRow(row)
    }
    // A changed bucket is in a part of the whole already.
    if (row.kind !== 'changed') totals.addRow(row)
  }
  for (const [atMs, sums] of changed) ready.set(atMs, sums.json())
  return { bodyOf: (atMs) => ready.get(atMs) ?? EMPTY_BUCKET, totals: totals.json(), stale: staleIn(rows) }
}

/** Calls that have not ended and began before are stale; `earlierInBucket` are those of them in the bucket that this time is in. */
export type Stale = { readonly beforeMs: number; readonly earlierInBucket: number }

/** What the row of that kind says. Without one, nothing is stale. */
export function staleIn(
  rows: readonly { readonly kind: string; readonly at: string | null; readonly body: string }[],
): Stale {
  const row = rows.find(({ kind }) => kind === 'stale')
  return { beforeMs: Number(row?.at ?? 0) * SECOND_MS, earlierInBucket: Number(row?.body ?? 0) }
}

/** As many as have no final state, once all of the bucket is old enough. */
function staleOf(underWay: () => number, fromMs: number, toMs: number, { beforeMs, earlierInBucket }: Stale): number {
  if (fromMs >= beforeMs) return 0
  return toMs > beforeMs ? earlierInBucket : underWay()
}

function underWayIn(body: string): number {
  const [, initiated, ringing, answered] = UNDER_WAY.exec(body) ?? []
  return Number(initiated) + Number(ringing) + Number(answered)
}

const UNDER_WAY = /"INITIATED":(\d+),"RINGING":(\d+),"ANSWERED":(\d+)/

/** Of a bucket without calls. */
export const EMPTY_BUCKET = createSums().json()

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

export function isoSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
