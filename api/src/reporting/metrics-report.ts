import type { DurationHistogram } from './duration-histogram.ts'
import { addCounts, addEntries, emptyHistogram, percentiles } from './duration-histogram.ts'
import type { MetricsRange } from './metrics-range.ts'
import { BUCKET_MS } from './metrics-range.ts'
import type { Count, Duration, MetricsRow } from './metrics-statement.ts'
import { COUNTS } from './metrics-statement.ts'

const PERCENTILES = [0.5, 0.95, 0.99] as const
const SECOND_MS = 1000

type Counts = Record<Count, number>

/**
 * The metrics of a range as the fields of their JSON, without braces: every bucket of the range is
 * there, zero where no call started. Percentiles are of all the calls of a bucket, or of the range; never averaged.
 */
export function metricsFields(rows: readonly MetricsRow[], range: MetricsRange): string {
  const folded = new Map<number, MetricsRow>()
  const pending = new Map<number, MetricsRow>()
  const totals = noCounts()
  const histograms = { ring: emptyHistogram(), talk: emptyHistogram() }
  for (const row of rows) {
    const atMs = Number(row.at) * SECOND_MS
    if (row.kind === 'bucket') folded.set(atMs, row)
    else {
      if (row.kind === 'pending') pending.set(atMs, row)
      addRow(totals, row)
      addDurations(histograms.ring, row, 'ring')
      addDurations(histograms.talk, row, 'talk')
    }
  }
  const buckets: string[] = []
  for (let atMs = range.fromMs; atMs < range.toMs; atMs += BUCKET_MS[range.granularity]) {
    buckets.push(`{"start":"${isoSeconds(atMs)}",${bucketFields(folded.get(atMs), pending.get(atMs))}}`)
  }
  const asked = `"granularity":"${range.granularity}","from":"${isoSeconds(range.fromMs)}","to":"${isoSeconds(range.toMs)}"`
  const whole = fields(totals, estimates(histograms.ring), estimates(histograms.talk))
  return `${asked},"totals":{${whole}},"buckets":[${buckets.join(',')}]`
}

type Row = MetricsRow | undefined

function bucketFields(folded: Row, pending: Row): string {
  if (folded === undefined && pending === undefined) return NOTHING
  // As most are: everything is as it was folded, and goes out as it came in.
  if (pending === undefined) return fields(folded as MetricsRow, stored(folded, 'ring'), stored(folded, 'talk'))
  const counts = noCounts()
  if (folded !== undefined) addRow(counts, folded)
  addRow(counts, pending)
  return fields(counts, together(folded, pending, 'ring'), together(folded, pending, 'talk'))
}

function noCounts(): Counts {
  return Object.fromEntries(COUNTS.map((count) => [count, 0])) as Counts
}

function addRow(counts: Counts, row: MetricsRow): void {
  for (const count of COUNTS) counts[count] += Number(row[count])
}

function addDurations(histogram: DurationHistogram, row: MetricsRow, of: Duration): void {
  const [buckets, counts, entries] = [row[`${of}_buckets`], row[`${of}_counts`], row[`${of}_entries`]]
  if (buckets !== null && counts !== null) addCounts(histogram, buckets, counts)
  if (entries !== null) addEntries(histogram, entries)
}

type Estimates = readonly (number | string | null)[]

function stored(folded: Row, of: Duration): Estimates {
  return folded === undefined
    ? [null, null, null]
    : [folded[`${of}_p50_ms`], folded[`${of}_p95_ms`], folded[`${of}_p99_ms`]]
}

function together(folded: Row, pending: MetricsRow, of: Duration): Estimates {
  if (pending[`${of}_entries`] === null) return stored(folded, of)
  const histogram = emptyHistogram()
  if (folded !== undefined) addDurations(histogram, folded, of)
  addDurations(histogram, pending, of)
  return estimates(histogram)
}

function estimates(histogram: DurationHistogram): Estimates {
  return percentiles(histogram, PERCENTILES).map((ms) => (ms === null ? null : Math.round(ms)))
}

function fields(c: MetricsRow | Counts, ring: Estimates, talk: Estimates): string {
  return (
    `"calls":${c.calls},"connected":${c.connected},"inbound":${c.inbound},"outbound":${c.outbound},` +
    `"states":{"INITIATED":${c.initiated},"RINGING":${c.ringing},"ANSWERED":${c.answered},"COMPLETED":${c.completed},` +
    `"BUSY":${c.busy},"NO_ANSWER":${c.no_answer},"FAILED":${c.failed},"CANCELED":${c.canceled}},` +
    `"ring":${durationJson(c.ring_count, c.ring_total_ms, ring)},"talk":${durationJson(c.talk_count, c.talk_total_ms, talk)}`
  )
}

function durationJson(count: number | string, totalMs: number | string, [p50, p95, p99]: Estimates): string {
  const calls = Number(count)
  const averageMs = calls === 0 ? null : Math.round(Number(totalMs) / calls)
  return `{"count":${count},"averageMs":${averageMs},"p50Ms":${p50},"p95Ms":${p95},"p99Ms":${p99}}`
}

const NOTHING = fields(noCounts(), [null, null, null], [null, null, null])

function isoSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
