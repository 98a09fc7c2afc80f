import { callsQuery, dailyQuery, hourlyQuery, seededRandom } from '@hopwhistle/contract/traffic/report-queries.ts'

/**
 * More than any measurement asks for: from the first again, all would come out of a cache for a minute. Of 30 days there are some 450
 * ranges by the day, so that most of those do so anyway: 86 of 100 in the first 9,300 reports, and of the others 10.
 */
const REPORTS = 60_000

/** The three reports in turn, over ranges and filters of all sizes, as the load test asks for them. */
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
