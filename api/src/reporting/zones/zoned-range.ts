import { InvalidRequest, TimeOutOfRange, UnknownTimeZone } from '../../errors/catalogue.ts'
import { RANGE_DAYS } from '../metrics-range.ts'
import { parseTime } from '../parse-time.ts'
import type { TimeZone } from './time-zone.ts'
import { findTimeZone } from './time-zone.ts'
import type { Weekday, ZoneBuckets, ZoneGranularity } from './zone-buckets.ts'
import { zoneBuckets } from './zone-buckets.ts'

/** Whole buckets of a time zone: all of them, in order. */
export type ZonedRange = ZoneBuckets & {
  readonly granularity: ZoneGranularity
  readonly fromMs: number
  readonly toMs: number
  readonly timeZone: string
  readonly weekStart: Weekday
}

export type ZonedQuery = {
  readonly granularity: ZoneGranularity
  readonly from?: string
  readonly to?: string
  readonly timezone?: string
  readonly weekStart?: Weekday
}

/** The longest range, in days, and how many buckets are meant when `from` is not given. */
export const ZONED_RANGE: Readonly<Record<ZoneGranularity, { readonly mostDays: number; readonly usual: number }>> = {
  hour: { mostDays: RANGE_DAYS.hour.most, usual: 24 },
  day: { mostDays: RANGE_DAYS.day.most, usual: RANGE_DAYS.day.usual },
  week: { mostDays: 800, usual: 12 },
  month: { mostDays: 1_830, usual: 12 },
}

const UTC = findTimeZone('UTC') as TimeZone
const DAY_MS = 24 * 3_600_000
/** No bucket of that name is longer, in days. */
const LONGEST_DAYS: Readonly<Record<ZoneGranularity, number>> = { hour: 1 / 24, day: 2, week: 8, month: 32 }

/**
 * The range that a query means in its zone, or in the tenant's: as parseMetricsRange, in local time.
 *
 * @param ofTenant the zone of the tenant; what is not known here any more counts as UTC
 * @throws {UnknownTimeZone | InvalidRequest | TimeOutOfRange}
 */
export function parseZonedRange(query: ZonedQuery, ofTenant: string | undefined, nowMs: number): ZonedRange {
  const { granularity, weekStart = 'monday' } = query
  if (query.weekStart !== undefined && granularity !== 'week') {
    throw InvalidRequest([{ field: 'weekStart', message: `is of weeks; granularity is ${granularity}` }])
  }
  const zone = findTimeZone(query.timezone ?? ofTenant ?? 'UTC') ?? UTC
  if (query.timezone !== undefined && zone.name !== query.timezone) throw UnknownTimeZone('timezone', query.timezone)
  const { mostDays, usual } = ZONED_RANGE[granularity]
  const givenTo = parseTime('to', query.to) ?? nowMs
  const givenFrom = parseTime('from', query.from)
  if (givenFrom !== undefined && givenFrom >= givenTo) {
    throw TimeOutOfRange('from', query.from as string, `before to, which is ${new Date(givenTo).toISOString()}`)
  }
  if (givenFrom !== undefined && givenTo - givenFrom > mostDays * DAY_MS) {
    const days = Math.ceil((givenTo - givenFrom) / DAY_MS)
    throw TimeOutOfRange(
      'from',
      query.from as string,
      `at most ${mostDays} days before to by the ${granularity}, not ${days}`,
    )
  }
  const fromMs = givenFrom ?? givenTo - usual * LONGEST_DAYS[granularity] * DAY_MS
  const found = zoneBuckets(zone, granularity, fromMs, givenTo, weekStart)
  const { borders, labels } = givenFrom === undefined ? lastOf(found, usual) : found
  return {
    granularity,
    borders,
    labels,
    fromMs: borders[0] as number,
    toMs: borders.at(-1) as number,
    timeZone: zone.name,
    weekStart,
  }
}

function lastOf({ borders, labels }: ZoneBuckets, buckets: number): ZoneBuckets {
  return { borders: borders.slice(-(buckets + 1)), labels: labels.slice(-(buckets + 1)) }
}

/** The fields of an answer that say which buckets it has, without braces. */
export function zonedRangeJson({ granularity, labels, timeZone, weekStart }: ZonedRange): string {
  return (
    `"granularity":"${granularity}","timezone":${JSON.stringify(timeZone)},` +
    `${granularity === 'week' ? `"weekStart":"${weekStart}",` : ''}"from":"${labels[0]}","to":"${labels.at(-1)}"`
  )
}

/** What tells this range from another of the same tenant; with the version of the rules, for instances may differ in it. */
export function zonedKey({ granularity, fromMs, toMs, timeZone, weekStart }: ZonedRange): string {
  return `metrics ${granularity} ${fromMs} ${toMs} ${timeZone} ${weekStart} ${process.versions.tz}`
}
