import { CALL_DIRECTIONS, CALL_STATES } from '@hopwhistle/contract/calls.ts'
import { ReportTooLarge } from '../../errors/catalogue.ts'
import { type BucketTexts, bucketJson, COUNTS, countsJson, DURATIONS, type Duration, rounded } from '../metrics-json.ts'
import { EMPTY_BUCKET, isoSeconds, rangeJson } from '../metrics-report.ts'
import { createSums, type SummedRow } from '../metrics-sums.ts'
import { zonedRangeJson } from '../zones/zoned-range.ts'
import { type Breakdown, bucketStarts, type GroupBy } from './breakdown.ts'
import { type BreakdownRow, CALLERS, ESTIMATES } from './breakdown-statement.ts'

/**
 * Metrics read from calls as the fields of their JSON, without braces. They have the form of those from rollups, and groups.
 *
 * @throws {ReportTooLarge} more calls would have to be read than may be
 */
export function breakdownFields(rows: readonly BreakdownRow[], breakdown: Breakdown, callsMax: number): string {
  const { range, groupBy, callers, limit } = breakdown
  const of = Map.groupBy(rows, ({ kind }) => kind)
  if (of.has('over')) {
    throw ReportTooLarge(
      `the range has more than ${callsMax} calls to read: ask for a shorter one, or filter by a number, a state or a direction`,
    )
  }
  const starts = 'labels' in range ? range.labels : bucketStarts(range).map(isoSeconds)
  const startOf = (row: BreakdownRow) => starts[Number(row.bucket) - 1] as string
  const distinct = (row: BreakdownRow | undefined) => (row === undefined ? '0' : row.body)

  const groups = of.get('group') ?? []
  const totals = createSums()
  const ofCallers = CALLERS.map(() => 0)
  for (const group of groups) {
    totals.addRow(asPart(group))
    CALLERS.forEach((name, i) => {
      ofCallers[i] = (ofCallers[i] as number) + Number(textsOf(group)[name])
    })
  }
  const [of_callers, first_time, stale] = ofCallers.map(String)
  const callersTotal = callers
    ? callersJson({ of_callers, first_time, distinct: distinct(of.get('callers')?.[0]) })
    : ''

  const filled = new Map((of.get('bucket') ?? []).map((row) => [startOf(row), measures(row, callers)]))
  const empty = `${EMPTY_BUCKET},"stale":0${callers ? callersJson({ of_callers: '0', first_time: '0' }) : ''}`
  const buckets = starts
    .slice(0, bucketStarts(range).length)
    .map((start) => `{"start":"${start}",${filled.get(start) ?? empty}}`)

  const kinds = Number(of.get('kinds')?.[0]?.body ?? 0)
  const cells = Map.groupBy(of.get('cell') ?? [], ({ place }) => place)
  const group = (row: BreakdownRow) => {
    const own = (cells.get(row.place) ?? []).toSorted((a, b) => Number(a.bucket) - Number(b.bucket))
    const cell = (one: BreakdownRow) => `{"start":"${startOf(one)}",${cellJson(one, callers)}}`
    return `{${nameOf(row, groupBy as GroupBy, kinds - limit)},${measures(row, callers)},"buckets":[${own.map(cell).join(',')}]}`
  }
  const inOrder = groups.toSorted((a, b) => Number(a.place) - Number(b.place))
  return (
    `${'borders' in range ? zonedRangeJson(range) : rangeJson(range)},"totals":{${totals.json()},"stale":${stale}${callersTotal}},"buckets":[${buckets.join(',')}]` +
    (groupBy === undefined ? '' : `,"groupBy":"${groupBy}","groups":[${inOrder.map(group).join(',')}]`)
  )
}

/** Without what cannot be added up. */
const asPart = ({ body, ring_histogram, talk_histogram }: BreakdownRow): SummedRow => ({
  body: body.split(',').slice(0, COUNTS.length).join(','),
  ring_histogram,
  talk_histogram,
  ring_entries: null,
  talk_entries: null,
})

type Texts = Readonly<Record<string, string | undefined>>

/** What a body has, by name. */
function textsOf({ body }: BreakdownRow): Texts {
  const texts = body.split(',')
  return Object.fromEntries([...COUNTS, ...CALLERS, ...ESTIMATES, 'distinct'].map((name, i) => [name, texts[i]]))
}

function measures(row: BreakdownRow, callers: boolean): string {
  const texts = textsOf(row)
  const averages = DURATIONS.map((d) => [`${d}_average_ms`, average(texts, d)])
  const body = bucketJson({ ...texts, ...Object.fromEntries(averages) } as BucketTexts)
  return `${body},"stale":${texts.stale}${callers ? callersJson(texts) : ''}`
}

function cellJson(row: BreakdownRow, callers: boolean): string {
  const texts = textsOf(row)
  const durations = DURATIONS.map((d) => `"${d}":{"count":${texts[`${d}_count`]},"averageMs":${average(texts, d)}}`)
  return `${countsJson(texts as BucketTexts)},"stale":${texts.stale},${durations.join(',')}${callers ? callersJson(texts) : ''}`
}

/** Callers cannot be added up: only groups and totals say how many there are. */
function callersJson({ of_callers, first_time, distinct }: Texts): string {
  const repeat = Number(of_callers) - Number(first_time)
  return `,"callers":{${distinct === undefined ? '' : `"distinct":${distinct},`}"firstTime":${first_time},"repeat":${repeat}}`
}

function average(texts: Texts, duration: Duration): string {
  const count = Number(texts[`${duration}_count`])
  return rounded(count === 0 ? null : Number(texts[`${duration}_total_ms`]) / count)
}

function nameOf({ key }: BreakdownRow, groupBy: GroupBy, rest: number): string {
  if (key === null) return `"group":"rest","key":null,"groups":${rest}`
  if (key === '') return `"group":"none","key":null`
  const named =
    groupBy === 'state' ? CALL_STATES[Number(key)] : groupBy === 'direction' ? CALL_DIRECTIONS[Number(key)] : key
  return `"group":"value","key":${JSON.stringify(named)}`
}
