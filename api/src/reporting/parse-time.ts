import { InvalidRequest, TimeOutOfRange } from '../errors/catalogue.ts'

const RFC3339 =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

/** Postgres takes other years as well, and a report of them is a slip of the pen. */
const EARLIEST_MS = Date.UTC(2000, 0, 1)
const LATEST_MS = Date.UTC(2100, 0, 1)

/**
 * Unix milliseconds of a time in a query string; undefined for one that was not given.
 *
 * @throws {InvalidRequest} not RFC 3339: no offset, or a day that does not exist
 * @throws {TimeOutOfRange} not of this century
 */
export function parseTime(field: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined
  const ms = parseRfc3339(given)
  if (ms === undefined) {
    const message = 'must be an RFC 3339 time with an offset, like 2026-11-24T10:00:00Z (in a URL, + is written %2B)'
    throw InvalidRequest([{ field, message }])
  }
  if (ms < EARLIEST_MS || ms > LATEST_MS) throw TimeOutOfRange(field, given, 'between the years 2000 and 2100')
  return ms
}

function parseRfc3339(given: string): number | undefined {
  if (!RFC3339.test(given)) return undefined
  // Date.parse takes 30 February for 2 March.
  const day = Number(given.slice(8, 10))
  if (day > 28 && new Date(`${given.slice(0, 10)}T00:00:00Z`).getUTCDate() !== day) return undefined
  return Date.parse(given.toUpperCase())
}
