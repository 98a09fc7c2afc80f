import { DURATIONS } from '../metrics-json.ts'
import { collect, NOTHING_STALE, type Stale, staleOf } from '../metrics-report.ts'
import type { MetricsRow } from '../metrics-statement.ts'
import { metricsStatement } from '../metrics-statement.ts'
import type { ReportStatement } from '../read-report.ts'
import type { QuartersPlan } from './quarters-plan.ts'
import { bucketAt, quartersPlan } from './quarters-plan.ts'
import type { QuartersRow } from './quarters-statement.ts'
import { quartersStatement } from './quarters-statement.ts'
import type { Sign, Tally } from './tally.ts'
import { createTally } from './tally.ts'
import { type ZonedRange, zonedRangeJson } from './zoned-range.ts'

/** What is asked of the database for the metrics of a range in a time zone, and what its rows say. */
export type ZonedReport = {
  readonly statement: ReportStatement
  /** The fields of the answer as JSON, without braces. */
  readonly fields: (rows: readonly (MetricsRow | QuartersRow)[]) => string
}

/** Hours and days that are those of UTC are read as they are there; everything else is put together from quarters. */
export function zonedReport(tenantId: string, range: ZonedRange): ZonedReport {
  const plan = quartersPlan(range)
  if (plan !== undefined) {
    return {
      statement: quartersStatement(tenantId, range, plan),
      fields: (rows) => fromQuarters(rows as readonly QuartersRow[], range, plan),
    }
  }
  const granularity = range.granularity === 'hour' ? 'hour' : 'day'
  return {
    statement: metricsStatement(tenantId, { granularity, fromMs: range.fromMs, toMs: range.toMs }),
    fields: (rows) => {
      const { bodyOf, totals, stale } = collect(rows as readonly MetricsRow[])
      return answer(range, totals, range.borders.slice(0, -1).map(bodyOf), stale)
    },
  }
}

const SECOND_MS = 1000

/** Something to add to a bucket: a line of quarters from a place on, or a row. */
type Piece = { readonly sign: Sign } & ({ readonly lines: string; readonly at: number } | { readonly row: QuartersRow })

function fromQuarters(rows: readonly QuartersRow[], range: ZonedRange, plan: QuartersPlan): string {
  const staleRow = rows.find(({ kind }) => kind === 'stale')
  const stale =
    staleRow === undefined
      ? NOTHING_STALE
      : { beforeMs: Number(staleRow.at) * SECOND_MS, earlierInBucket: Number(staleRow.body) }
  const pieces = piecesOf(rows, range, plan)
  const totals = createTally()
  // One for all buckets, one after the other: each would be some ten thousand numbers.
  const tally = createTally()
  const bodies = pieces.map((of) => {
    tally.clear()
    for (const piece of of) add(tally, piece)
    totals.add(tally)
    return tally.json()
  })
  return answer(range, totals.json(), bodies, stale)
}

/** By bucket. */
function piecesOf(rows: readonly QuartersRow[], range: ZonedRange, plan: QuartersPlan): readonly (readonly Piece[])[] {
  const { borders } = range
  const pieces: Piece[][] = borders.slice(1).map(() => [])
  const put = (bucket: number, piece: Piece) => void pieces[bucket]?.push(piece)
  for (const row of rows) {
    if (row.kind === 'stale') continue
    const atMs = Number(row.at) * SECOND_MS
    if (row.kind === 'pending') put(bucketAt(borders, atMs), { row, sign: 1 })
    else if (row.kind === 'day') put(bucketAt(plan.midnights, atMs), { row, sign: 1 })
    else if (plan.signs === undefined) {
      if (row.kind === 'hour') put(bucketAt(borders, atMs), { row, sign: 1 })
      else
        eachLine(row.body, (seconds, at) =>
          put(bucketAt(borders, seconds * SECOND_MS), { lines: row.body, at, sign: 1 }),
        )
    } else {
      // What lies between a border and its midnight belongs to the bucket on the other side.
      const border = Number(row.part) - 1
      const sign = plan.signs[border] as Sign
      const both = (piece: (sign: Sign) => Piece) => {
        put(border - 1, piece(sign))
        put(border, piece(sign === 1 ? -1 : 1))
      }
      if (row.kind === 'hour') both((sign) => ({ row, sign }))
      else eachLine(row.body, (_, at) => both((sign) => ({ lines: row.body, at, sign })))
    }
  }
  return pieces
}

/** Tells of each line its Unix seconds, and the place behind them. */
function eachLine(lines: string, use: (seconds: number, at: number) => void): void {
  for (let start = 0; start < lines.length; ) {
    const tab = lines.indexOf('\t', start)
    use(Number(lines.slice(start, tab)), tab + 1)
    const end = lines.indexOf('\n', tab)
    start = end === -1 ? lines.length : end + 1
  }
}

function add(tally: Tally, piece: Piece): void {
  if ('lines' in piece) {
    tally.addQuarter(piece.lines, piece.at, piece.sign)
    return
  }
  const { row, sign } = piece
  tally.addCounts(row.body, sign)
  for (const of of DURATIONS) {
    const histogram = row[`${of}_histogram` as const]
    const entries = row[`${of}_entries` as const]
    if (histogram !== null) tally.addBytes(of, histogram, sign)
    if (entries !== null) tally.addEntries(of, entries)
  }
}

/** @param bodies of the buckets, in their order */
function answer(range: ZonedRange, totals: string, bodies: readonly string[], stale: Stale): string {
  const { borders, labels } = range
  let allStale = 0
  const buckets = bodies.map((body, i) => {
    const ofBucket = staleOf(body, borders[i] as number, borders[i + 1] as number, stale)
    allStale += ofBucket
    return `{"start":"${labels[i]}",${body},"stale":${ofBucket}}`
  })
  return `${zonedRangeJson(range)},` + `"totals":{${totals},"stale":${allStale}},"buckets":[${buckets.join(',')}]`
}
