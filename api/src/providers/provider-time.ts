/** 2021-04-28 21:51:18.731479Z: nearly RFC 3339. */
const DATE_AND_TIME = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,9})?) ?(Z|UTC|[+-]\d\d:?\d\d)?$/i
/** Tue, 31 Aug 2010 20:36:28 +0000. */
const RFC2822 = /^(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (?:GMT|UTC|[+-]\d{4})$/
/** Of this century: 1700000000, 1700000000.123, and the same in milli- and microseconds. */
const UNIX = /^\d{9,17}(?:\.\d{1,9})?$/

/**
 * Unix milliseconds of a time as providers and switches write it. One without an offset is in UTC.
 *
 * @returns undefined for what is no time
 */
export function parseProviderTime(given: string): number | undefined {
  if (UNIX.test(given)) {
    const value = Number(given)
    return Math.floor(value < 1e11 ? value * 1_000 : value < 1e14 ? value : value / 1_000)
  }
  const [, day, time, offset = 'Z'] = DATE_AND_TIME.exec(given) ?? []
  const written = day === undefined ? (RFC2822.test(given) ? given : '') : `${day}T${time}${rfc3339Offset(offset)}`
  const ms = Date.parse(written)
  return Number.isNaN(ms) ? undefined : ms
}

function rfc3339Offset(offset: string): string {
  if (/^(?:Z|UTC)$/i.test(offset)) return 'Z'
  return offset.includes(':') ? offset : `${offset.slice(0, 3)}:${offset.slice(3)}`
}
