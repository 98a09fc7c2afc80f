import { CALL_DIRECTIONS, CALL_STATES, LABEL_BOUNDS } from '@hopwhistle/contract/calls.ts'
import { InvalidRequest, ReportTooLarge } from '../../errors/catalogue.ts'
import { type CallsFilter, type CallsFilterQuery, filterKey, parseCallsFilter } from '../calls-filter.ts'
import { bordersOf, type MetricsRange } from '../metrics-range.ts'
import { type ZonedRange, zonedKey } from '../zones/zoned-range.ts'

/** What calls are grouped by: one of these, or `label:` and the name of a label. */
export const GROUP_BY = ['direction', 'state', 'from', 'to'] as const
export type GroupBy = (typeof GROUP_BY)[number] | `label:${string}`

/** How many groups, largest first, have a place of their own. */
export const GROUPS_LIMIT = { most: 100, usual: 10 } as const

/** Metrics that rollups do not have: of some calls, in groups, or with their callers. They are read from the calls. */
export type Breakdown = {
  readonly range: MetricsRange | ZonedRange
  readonly filter: CallsFilter
  /** Absent: all in one. */
  readonly groupBy?: GroupBy
  readonly limit: number
  readonly callers: boolean
}

export type BreakdownQuery = Omit<CallsFilterQuery, 'startedFrom' | 'startedTo'> & {
  readonly groupBy?: string
  readonly limit?: number
  readonly include?: 'callers'
}

/** A group has its own buckets, those with calls, so that an answer has this many at most. */
const GROUP_BUCKETS_MAX = 5_000

/**
 * @returns undefined when rollups have all that is asked for
 * @throws {InvalidRequest} what cannot be @throws {ReportTooLarge} more buckets than an answer may have
 */
export function parseBreakdown(query: BreakdownQuery, range: MetricsRange | ZonedRange): Breakdown | undefined {
  const { groupBy: _, limit, include, ...others } = query
  const groupBy = parseGroupBy(query.groupBy)
  if (limit !== undefined && groupBy === undefined) {
    throw InvalidRequest([{ field: 'limit', message: 'is for groupBy, which is missing' }])
  }
  const filter = parseCallsFilter(others)
  if (Object.keys(filter).length === 0 && groupBy === undefined && include === undefined) return undefined
  const breakdown = {
    range,
    filter,
    ...(groupBy === undefined ? {} : { groupBy }),
    limit: limit ?? GROUPS_LIMIT.usual,
    callers: include === 'callers',
  }
  requireBounded(breakdown)
  return breakdown
}

const OF_LABEL = new RegExp(`^label:${LABEL_BOUNDS.namePattern.slice(1)}`)

function parseGroupBy(given: string | undefined): GroupBy | undefined {
  if (given === undefined) return undefined
  const known = GROUP_BY.find((one) => one === given)
  if (known !== undefined) return known
  if (OF_LABEL.test(given)) return given as GroupBy
  const message = `is ${JSON.stringify(given)}; it may be ${GROUP_BY.join(', ')}, or label: and a name, like label:campaign`
  throw InvalidRequest([{ field: 'groupBy', message }])
}

function requireBounded({ range, groupBy, limit }: Breakdown): void {
  if (groupBy === undefined) return
  const groups = groupsMax(groupBy, limit)
  const buckets = bucketStarts(range).length
  if (groups * buckets <= GROUP_BUCKETS_MAX) return
  throw ReportTooLarge(
    `${groups} groups of ${buckets} buckets are ${groups * buckets}; there may be ${GROUP_BUCKETS_MAX}: ask for fewer groups, a shorter range or longer buckets`,
  )
}

/** The groups that an answer has at most, with the one for the rest. */
function groupsMax(groupBy: GroupBy, limit: number): number {
  const kinds = { direction: CALL_DIRECTIONS.length + 1, state: CALL_STATES.length } as Readonly<Record<string, number>>
  return Math.min(kinds[groupBy] ?? Number.POSITIVE_INFINITY, limit + 1)
}

/** When each bucket begins, Unix milliseconds. */
export const bucketStarts = (range: Breakdown['range']): readonly number[] =>
  ('borders' in range ? range.borders : bordersOf(range)).slice(0, -1)

/** The name of the label that it groups by, if it does. */
export const labelOf = (groupBy: GroupBy | undefined): string | undefined =>
  groupBy?.startsWith('label:') ? groupBy.slice('label:'.length) : undefined

/** Every label that is asked for. */
export function labelsOf({ groupBy, filter }: Pick<Breakdown, 'groupBy' | 'filter'>): readonly string[] {
  const grouped = labelOf(groupBy)
  return [...(filter.labels ?? []).map(({ name }) => name), ...(grouped === undefined ? [] : [grouped])]
}

/** The same for the same question. */
export function breakdownKey({ range, filter, groupBy, limit, callers }: Breakdown): string {
  const { granularity, fromMs, toMs } = range
  const ofRange = 'borders' in range ? zonedKey(range) : [granularity, fromMs, toMs]
  return JSON.stringify([ofRange, filterKey(filter), groupBy, limit, callers])
}
