import type { Sign } from '../duration-histogram.ts'
import { bucketsJson, collect, staleIn } from '../metrics-report.ts'
import type { MetricsRow } from '../metrics-statement.ts'
import { metricsStatement } from '../metrics-statement.ts'
import { codeUnits, createSums, type MetricsSums } from '../metrics-sums.ts'
import type { ReportStatement } from '../read-report.ts'
import { addQuarter } from './add-quarter.ts'
import type { QuartersPlan } from './quarters-plan.ts'
import { bucketAt, quartersPlan } from './quarters-plan.ts'
import type { QuartersRow } from './quarters-statement.ts'
import { quartersStatement } from './quarters-statement.ts'
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
      return answer(range, collect(rows as readonly MetricsRow[]))
    },
  }
}

const SECOND_MS = 1000

/** Something to add to a bucket: a line of quarters from a place on, in code units; a row; or all of a part, see partSums. */
type Piece = { readonly sign: Sign } & (
  | { readonly units: Uint16Array; readonly at: number }
  | { readonly row: QuartersRow }
  | { readonly part: number }
)
/** By bucket, and by part. */
type Pieces = { readonly ofBuckets: readonly (readonly Piece[])[]; readonly ofParts: readonly (readonly Piece[])[] }

function fromQuarters(rows: readonly QuartersRow[], range: ZonedRange, plan: QuartersPlan): string {
  const { ofBuckets, ofParts } = piecesOf(rows, range, plan)
  const sumsOfPart = partSums(ofParts)
  const totals = createSums()
  // One for all buckets, one after the other: each would be some ten thousand numbers.
  const sums = createSums()
  const underWay = new Float64Array(ofBuckets.length)
  const bodies = ofBuckets.map((of, i) => {
    sums.clear()
    for (const piece of of) {
      if ('part' in piece) sums.add(sumsOfPart(piece.part), piece.sign)
      else add(sums, piece)
    }
    totals.add(sums)
    underWay[i] = sums.underWay()
    return sums.json()
  })
  const underWayAt = (i: number) => underWay[i] as number
  return answer(range, {
    totals: totals.json(),
    bodyOf: (_, i) => bodies[i] as string,
    underWayAt,
    stale: staleIn(rows),
  })
}

/**
 * The sums of the parts, each made once, although two buckets need it: the last two are kept, for buckets come in order and
 * need those of their two borders.
 */
function partSums(ofParts: Pieces['ofParts']): (part: number) => MetricsSums {
  const kept = [createSums(), createSums()] as const
  const partOf = [-1, -1]
  return (part) => {
    const place = (part % 2) as 0 | 1
    const sums = kept[place]
    if (partOf[place] !== part) {
      sums.clear()
      for (const piece of ofParts[part] as readonly Piece[]) add(sums, piece)
      partOf[place] = part
    }
    return sums
  }
}

function piecesOf(rows: readonly QuartersRow[], range: ZonedRange, plan: QuartersPlan): Pieces {
  const { borders } = range
  const ofBuckets: Piece[][] = borders.slice(1).map(() => [])
  const ofParts: Piece[][] = plan.parts.map(() => [])
  const put = (bucket: number, piece: Piece) => void ofBuckets[bucket]?.push(piece)
  for (const row of rows) {
    if (row.kind === 'stale') continue
    const atMs = Number(row.at) * SECOND_MS
    if (row.kind === 'pending') put(bucketAt(borders, atMs), { row, sign: 1 })
    else if (row.kind === 'day') put(bucketAt(plan.midnights, atMs), { row, sign: 1 })
    else if (plan.signs === undefined) {
      if (row.kind === 'hour') put(bucketAt(borders, atMs), { row, sign: 1 })
      else {
        const units = codeUnits(row.body)
        eachLine(row.body, (seconds, at) => put(bucketAt(borders, seconds * SECOND_MS), { units, at, sign: 1 }))
      }
    } else {
      const ofPart = ofParts[Number(row.part) - 1] as Piece[]
      if (row.kind === 'hour') ofPart.push({ row, sign: 1 })
      else {
        const units = codeUnits(row.body)
        eachLine(row.body, (_, at) => ofPart.push({ units, at, sign: 1 }))
      }
    }
  }
  // What lies between a border and its midnight belongs to the bucket on the other side.
  for (const [border, sign] of (plan.signs ?? []).entries()) {
    if (ofParts[border]?.length === 0) continue
    put(border - 1, { part: border, sign })
    put(border, { part: border, sign: sign === 1 ? -1 : 1 })
  }
  return { ofBuckets, ofParts }
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

function add(sums: MetricsSums, piece: Piece): void {
  if ('units' in piece) addQuarter(sums, piece.units, piece.at, piece.sign)
  else if ('row' in piece) sums.addRow(piece.row, piece.sign)
}

function answer(
  range: ZonedRange,
  of: Pick<Parameters<typeof bucketsJson>[0], 'totals' | 'bodyOf' | 'underWayAt' | 'stale'>,
): string {
  const { borders, labels } = range
  const startOf = (_: number, i: number) => labels[i] as string
  return `${zonedRangeJson(range)},${bucketsJson({ ...of, borders, startOf })}`
}
