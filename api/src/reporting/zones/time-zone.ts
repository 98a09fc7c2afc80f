import { QUARTER_MS, QUARTERS_PER_DAY } from './quarter.ts'

/** A time in which the clocks of a zone keep one offset. All in quarters of an hour: since 1970 in UTC, and east of UTC. */
export type Segment = { readonly from: number; readonly to: number; readonly offset: number }

/** The rules of a zone, as the time zone data of this Node have them. */
export type TimeZone = {
  /** As it was given; names are the same in any case. */
  readonly name: string
  /** The offsets from `from` until before `to`, without a hole; two that follow each other differ. */
  segments(from: number, to: number): readonly Segment[]
}

/** IANA names without a slash. Intl takes more, such as PST and IST, which have several meanings. */
const SHORT_NAMES = new Set(
  (
    'CET CST6CDT Cuba EET EST EST5EDT Egypt Eire GB GB-Eire GMT GMT+0 GMT-0 GMT0 Greenwich HST Hongkong Iceland Iran Israel ' +
    'Jamaica Japan Kwajalein Libya MET MST MST7MDT NZ NZ-CHAT Navajo PRC PST8PDT Poland Portugal ROC ROK Singapore Turkey UCT ' +
    'UTC Universal W-SU WET Zulu'
  )
    .toLowerCase()
    .split(' '),
)

/** No zone has changed its clocks twice within fewer days, so that no change is stepped over. */
const STEP = 4 * QUARTERS_PER_DAY
const SECOND_MS = 1000

/** By lower-case name. Only what Intl knows gets in: some 600 names. */
const known = new Map<string, Omit<TimeZone, 'name'>>()

/** @returns undefined when it is no IANA name, or one that this Node does not know */
export function findTimeZone(name: string): TimeZone | undefined {
  const key = name.toLowerCase()
  let rules = known.get(key)
  if (rules === undefined) {
    if (!isIanaName(key)) return undefined
    rules = cachedByYear(name)
    known.set(key, rules)
  }
  return { name, segments: rules.segments }
}

/** @param name in lower case */
function isIanaName(name: string): boolean {
  if (!SHORT_NAMES.has(name) && (!name.includes('/') || name.startsWith('systemv/'))) return false
  try {
    offsetFormat(name)
    return true
  } catch {
    return false
  }
}

/** Looking for the changes of a year takes a fifth of a millisecond, once. */
function cachedByYear(name: string): Omit<TimeZone, 'name'> {
  const years = new Map<number, readonly Segment[]>()
  const ofYear = (year: number): readonly Segment[] => {
    let segments = years.get(year)
    if (segments === undefined) {
      segments = readSegments(name, startOfYear(year), startOfYear(year + 1))
      years.set(year, segments)
    }
    return segments
  }
  return {
    segments: (from, to) => {
      const found: Segment[] = []
      for (let year = yearOf(from); year <= yearOf(to - 1); year++) {
        for (const segment of ofYear(year)) {
          const part = { ...segment, from: Math.max(segment.from, from), to: Math.min(segment.to, to) }
          const last = found.at(-1)
          if (part.from >= part.to) continue
          if (last?.offset === part.offset) found[found.length - 1] = { ...last, to: part.to }
          else found.push(part)
        }
      }
      return found
    },
  }
}

/**
 * Asks Intl for the offset at the end of a quarter: clocks that change within one, as Newfoundland's did until 2011 at one
 * minute past midnight, count as changed from its start on.
 */
export function readSegments(name: string, from: number, to: number): readonly Segment[] {
  const format = offsetFormat(name)
  const offsetAt = (quarter: number) => offsetOf(format, (quarter + 1) * QUARTER_MS - SECOND_MS)
  const segments: Segment[] = []
  let start = from
  let offset = offsetAt(from)
  for (let at = from; at < to - 1; ) {
    const next = Math.min(at + STEP, to - 1)
    if (offsetAt(next) === offset) {
      at = next
      continue
    }
    let [before, after] = [at, next]
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2)
      if (offsetAt(middle) === offset) before = middle
      else after = middle
    }
    segments.push({ from: start, to: after, offset })
    start = after
    offset = offsetAt(after)
    at = after
  }
  segments.push({ from: start, to, offset })
  return segments
}

/** @throws {RangeError} there is no such zone */
function offsetFormat(name: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' })
}

/** Ends with an offset such as GMT+05:45. */
function offsetOf(format: Intl.DateTimeFormat, ms: number): number {
  const [, sign, hours, minutes] = /GMT([+-])(\d\d):(\d\d)/.exec(format.format(ms)) ?? []
  const quarters = Math.round((Number(hours ?? 0) * 60 + Number(minutes ?? 0)) / 15)
  return sign === '-' ? -quarters : quarters
}

const startOfYear = (year: number) => Date.UTC(year, 0, 1) / QUARTER_MS
const yearOf = (quarter: number) => new Date(quarter * QUARTER_MS).getUTCFullYear()
