/**
 * What the reporting scenario asks for: the three reports in turn, over ranges, filters and pages that vary so much
 * that a cache alone cannot answer them.
 */
import { CALL_DIRECTIONS, type CallState } from '../calls.ts'
import { ROUTES } from '../routes.ts'

/** The names in the histograms: `report_latency_<endpoint>_<phase>`. */
export const REPORT_ENDPOINTS = ['hourly', 'calls', 'daily'] as const
export type ReportEndpoint = (typeof REPORT_ENDPOINTS)[number]

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** The demo data goes back this far. */
const HISTORY_DAYS = 30
/** The deepest page that is walked to. */
const DEEPEST_PAGE = 6
/** States that most calls end in, so that pages are full. */
const STATES: readonly CallState[] = ['COMPLETED', 'NO_ANSWER', 'BUSY', 'FAILED', 'CANCELED']
const LIMITS = [20, 50, 100] as const

/** A random number from 0 to below 1. */
export type Random = () => number

/**
 * The same numbers for the same seed: mulberry32.
 *
 * @example seededRandom(1)() === seededRandom(1)() // true
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** The endpoints in turn: in equal shares. */
export const endpointOf = (iteration: number): ReportEndpoint => REPORT_ENDPOINTS[iteration % 3] ?? 'hourly'

/** By the hour, 6 hours to 14 days long, anywhere in the history. */
export function hourlyQuery(random: Random, nowMs: number): string {
  const hours = 6 + Math.floor(random() ** 2 * (14 * 24 - 6))
  return metricsQuery('hour', rangeMs(random, nowMs, hours * HOUR_MS))
}

/** By the day, 2 to 30 days long. */
export function dailyQuery(random: Random, nowMs: number): string {
  const days = 2 + Math.floor(random() * (HISTORY_DAYS - 1))
  return metricsQuery('day', rangeMs(random, nowMs, days * DAY_MS))
}

/** A list of calls that somebody pages through. */
export type CallsWalk = { readonly filter: string; readonly page: number; readonly cursor: string }

/**
 * The first page of a list with a filter of its own, or the next page of the list that this caller is reading.
 *
 * @param walk where the caller's last list stands; undefined when it has ended
 */
export function callsQuery(
  random: Random,
  nowMs: number,
  walk: CallsWalk | undefined,
): { path: string; filter: string } {
  if (walk !== undefined) {
    return {
      path: `${ROUTES.reportCalls}?${walk.filter}&cursor=${encodeURIComponent(walk.cursor)}`,
      filter: walk.filter,
    }
  }
  const parts = [`limit=${pick(random, LIMITS)}`]
  if (random() < 0.8) {
    const { from, to } = rangeMs(random, nowMs, (1 + random() * (HISTORY_DAYS * 24 - 1)) * HOUR_MS)
    parts.push(`startedFrom=${iso(from)}`, `startedTo=${iso(to)}`)
  }
  if (random() < 0.5) parts.push(`state=${pick(random, STATES)}`)
  if (random() < 0.3) parts.push(`direction=${pick(random, CALL_DIRECTIONS)}`)
  const filter = parts.join('&')
  return { path: `${ROUTES.reportCalls}?${filter}`, filter }
}

/** Where a list stands after a page; undefined when that was the last, or far enough. */
export function nextWalk(filter: string, pagesBefore: number, nextCursor: unknown): CallsWalk | undefined {
  if (typeof nextCursor !== 'string' || nextCursor === '' || pagesBefore + 1 >= DEEPEST_PAGE) return undefined
  return { filter, page: pagesBefore + 1, cursor: nextCursor }
}

export function metricsQuery(granularity: string, { from, to }: Range): string {
  return `${ROUTES.reportMetrics}?granularity=${granularity}&from=${iso(from)}&to=${iso(to)}`
}

export type Range = { readonly from: number; readonly to: number }

/** A range of that length that ends within the history, half of them near now: to whole minutes. */
export function rangeMs(random: Random, nowMs: number, lengthMs: number): Range {
  const room = Math.max(0, HISTORY_DAYS * DAY_MS - lengthMs)
  const back = random() < 0.5 ? random() ** 3 * room : random() * room
  const to = Math.floor((nowMs - back) / 60_000) * 60_000
  return { from: Math.floor((to - lengthMs) / 60_000) * 60_000, to }
}

const iso = (ms: number): string => new Date(ms).toISOString()

export const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
