import { InvalidRequest, TimeOutOfRange } from '../errors/catalogue.ts'
import type { FieldError } from '../errors/problem.ts'
import { parseTime } from './parse-time.ts'

/** Clocks of clients may be ahead by so much. */
const AHEAD_MAX_MS = 60_000
/** What a list of calls has, and a feed of changes has not. */
const NOT_IN_A_FEED = ['order', 'count'] as const

type Query = { readonly updatedSince?: string } & { readonly [K in (typeof NOT_IN_A_FEED)[number]]?: string }

/**
 * From when on a feed of changes is asked for, in Unix milliseconds; undefined for a list.
 *
 * @throws {InvalidRequest} not a time, or together with what a feed has not @throws {TimeOutOfRange} it has not come yet
 */
export function parseChangesSince(query: Query, nowMs: number): number | undefined {
  const sinceMs = parseTime('updatedSince', query.updatedSince)
  if (sinceMs === undefined) return undefined
  const errors = NOT_IN_A_FEED.filter((field) => query[field] !== undefined).map(
    (field): FieldError => ({ field, message: 'cannot be given with updatedSince' }),
  )
  if (errors.length > 0) throw InvalidRequest(errors)
  if (sinceMs > nowMs + AHEAD_MAX_MS)
    throw TimeOutOfRange('updatedSince', query.updatedSince as string, 'not later than now')
  return sinceMs
}
