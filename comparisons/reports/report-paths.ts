import { callsQuery, dailyQuery, hourlyQuery, seededRandom } from '@hopwhistle/contract/traffic/report-queries.ts'

/**
 * More than any measurement requests: repeated paths would be answered from the cache for a minute. 30 days have only
 * some 450 ranges by the day, so most of these are cached anyway: 86 of 100 in the first 9,300 reports, and 10 of 100 others.
 */
const REPORTS = 60_000

/** The three reports in turn, over ranges and filters of all sizes, as in the load test. */
export function reportPaths(seed = 1, count = REPORTS): readonly string[] {
  const random = seededRandom(seed)
  const nowMs = Date.now()
  return Array.from({ length: count }, (_, i) =>
    i % 3 === 0
      ? hourlyQuery(random, nowMs)
      : i % 3 === 1
        ? callsQuery(random, nowMs, undefined).path
        : dailyQuery(random, nowMs),
  )
}
