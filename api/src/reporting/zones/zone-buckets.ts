import { QUARTER_MS, QUARTERS_PER_DAY, QUARTERS_PER_HOUR } from './quarter.ts'
import type { Segment, TimeZone } from './time-zone.ts'

export const ZONE_GRANULARITIES = ['hour', 'day', 'week', 'month'] as const
export type ZoneGranularity = (typeof ZONE_GRANULARITIES)[number]

/** In the order of JavaScript's getUTCDay. */
export const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const
export type Weekday = (typeof WEEKDAYS)[number]

/** Whole buckets, one after the other: bucket i is from `borders[i]` until before `borders[i + 1]`. */
export type ZoneBuckets = {
  /** Unix ms of full quarters of an hour, ascending: one more than there are buckets. */
  readonly borders: readonly number[]
  /** The same in local time, such as 2026-10-25T02:00:00+01:00; an offset of zero is Z. */
  readonly labels: readonly string[]
}

/** Longer than any bucket, so that there is a border before the range and one after it. */
const PAD_DAYS: Readonly<Record<ZoneGranularity, number>> = { hour: 1, day: 3, week: 10, month: 34 }

/**
 * The hours, days, weeks or months of a zone that a range touches.
 *
 * An hour that the clocks repeat is two buckets, which differ by their offset; one that is cut by a change is as long as it
 * was. A day, week or month begins at the first moment of its first date, which is not always midnight, and a date that a
 * zone skipped has no bucket. So the buckets are in order, leave out nothing and never overlap.
 *
 * @param fromMs Unix ms; the first bucket is the one it is in
 * @param toMs Unix ms, later; the last bucket is the one that the moment before it is in
 * @param weekStart the first day of a week
 */
export function zoneBuckets(
  zone: TimeZone,
  granularity: ZoneGranularity,
  fromMs: number,
  toMs: number,
  weekStart: Weekday = 'monday',
): ZoneBuckets {
  const from = Math.floor(fromMs / QUARTER_MS)
  const to = Math.ceil(toMs / QUARTER_MS)
  const pad = PAD_DAYS[granularity] * QUARTERS_PER_DAY
  const segments = zone.segments(from - pad, to + pad)
  const all = granularity === 'hour' ? hourBorders(segments) : dateBorders(segments, keyOf(granularity, weekStart))
  const first = all.findLastIndex(({ at }) => at <= from)
  const last = all.findIndex(({ at }) => at >= to)
  const chosen = all.slice(first, last + 1)
  const label = localTimes()
  return {
    borders: chosen.map(({ at }) => at * QUARTER_MS),
    labels: chosen.map(({ at, offset }) => label(at, offset)),
  }
}

/** A moment at which a bucket begins, in quarters since 1970, and the offset from then on. */
type Border = { readonly at: number; readonly offset: number }

function hourBorders(segments: readonly Segment[]): readonly Border[] {
  return segments.flatMap(({ from, to, offset }, i) => {
    const borders: Border[] = []
    const intoHour = modulo(from + offset, QUARTERS_PER_HOUR)
    // Clocks that changed begin another bucket, whatever the minute. Where the first segment begins, nothing did.
    if (i > 0 && intoHour !== 0) borders.push({ at: from, offset })
    const firstFull = from + modulo(-intoHour, QUARTERS_PER_HOUR)
    for (let at = firstFull; at < to; at += QUARTERS_PER_HOUR) borders.push({ at, offset })
    return borders
  })
}

/** @param key of a date, in days since 1970: the same for all dates of a bucket, larger for later ones */
function dateBorders(segments: readonly Segment[], key: (date: number) => number): readonly Border[] {
  const borders: Border[] = []
  let latest = Number.NEGATIVE_INFINITY
  for (const { from, to, offset } of segments) {
    const firstDate = Math.floor((from + offset) / QUARTERS_PER_DAY)
    for (let date = firstDate; date * QUARTERS_PER_DAY < to + offset; date++) {
      // If clocks go back over midnight, a date occurs twice. It is one bucket.
      if (key(date) <= latest) continue
      latest = key(date)
      borders.push({ at: Math.max(from, date * QUARTERS_PER_DAY - offset), offset })
    }
  }
  // The first is where the segments begin, in the middle of a bucket.
  return borders.slice(1)
}

function keyOf(granularity: Exclude<ZoneGranularity, 'hour'>, weekStart: Weekday): (date: number) => number {
  if (granularity === 'day') return (date) => date
  // 1 January 1970 was a Thursday.
  if (granularity === 'week') return (date) => Math.floor((date + 4 - WEEKDAYS.indexOf(weekStart)) / 7)
  return (date) => {
    const day = new Date(date * QUARTERS_PER_DAY * QUARTER_MS)
    return day.getUTCFullYear() * 12 + day.getUTCMonth()
  }
}

/** Formatting a date for each takes longer than the rest of a bucket, so that of a day is kept. */
function localTimes(): (at: number, offset: number) => string {
  let date = Number.NaN
  let day = ''
  return (at, offset) => {
    const local = at + offset
    const intoDay = modulo(local, QUARTERS_PER_DAY)
    if (local - intoDay !== date) {
      date = local - intoDay
      day = new Date(date * QUARTER_MS).toISOString().slice(0, 11)
    }
    return `${day}${clock(intoDay)}:00${offset === 0 ? 'Z' : `${offset < 0 ? '-' : '+'}${clock(Math.abs(offset))}`}`
  }
}

function clock(quarters: number): string {
  const two = (n: number) => String(n).padStart(2, '0')
  return `${two(Math.floor(quarters / QUARTERS_PER_HOUR))}:${two((quarters % QUARTERS_PER_HOUR) * 15)}`
}

/** Never negative, and never -0. */
function modulo(n: number, by: number): number {
  return ((n % by) + by) % by
}
