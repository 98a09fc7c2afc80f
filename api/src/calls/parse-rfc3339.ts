const RFC3339 =
  /^(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

/**
 * Unix milliseconds of an RFC 3339 time, also with a small t and z; what is finer than a millisecond is cut off.
 *
 * @returns undefined for what is not one: no offset, a day that the month does not have, a leap second
 */
export function parseRfc3339(given: string): number | undefined {
  const match = RFC3339.exec(given)
  if (match === null) return undefined
  // Date.parse takes 30 February for 2 March.
  if (Number(match[3]) > 28 && Number(match[3]) > daysOf(Number(match[1]), Number(match[2]))) return undefined
  const ms = Date.parse(given.toUpperCase())
  return Number.isNaN(ms) ? undefined : ms
}

function daysOf(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate()
}
