import { callsQuery, dailyQuery, hourlyQuery, seededRandom } from '../../../scenarios/lib/report-queries.ts'

/** More than any measurement asks for: asked for again, one comes out of a cache for a minute. */
const REPORTS = 60_000

/** The three reports in turn, over ranges and filters of all sizes, as the load test asks for them. */
export function reportPaths(): readonly string[] {
  const random = seededRandom(1)
  const nowMs = Date.now()
  return Array.from({ length: REPORTS }, (_, i) =>
    i % 3 === 0
      ? hourlyQuery(random, nowMs)
      : i % 3 === 1
        ? callsQuery(random, nowMs, undefined).path
        : dailyQuery(random, nowMs),
  )
}
