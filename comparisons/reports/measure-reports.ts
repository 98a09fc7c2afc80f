/** Reports at ten million events, compared with plain SQL and with a route that returns the same bytes. */
import type { MeasurePart, PartOptions, PartResult } from '../parts.ts'
import { measureCached } from './cached.ts'
import { measurePages } from './deep-pages.ts'
import { measureInterference } from './interference.ts'
import { measureMonth } from './month-by-hour.ts'
import { reportsFigures } from './reports-figures.ts'
import { type ReportsPlatform, startReportsPlatform } from './reports-platform.ts'

export const measureReports: MeasurePart = async (options) => {
  const started = await startReportsPlatform(options)
  try {
    return await measureReportsOn(started, options)
  } finally {
    await started.stop()
  }
}

export async function measureReportsOn(started: ReportsPlatform, options: PartOptions): Promise<PartResult> {
  const month = await measureMonth(started, options)
  const cached = await measureCached(started, options)
  const pages = await measurePages(started, options)
  // Last, because it adds calls.
  const interference = await measureInterference(started, options)
  const { small, large, seedSeconds } = started
  const measured = {
    events: { small: small.events, large: large.events },
    seedSeconds,
    month,
    cached,
    pages,
    interference,
  }
  return { ...reportsFigures(measured), raw: measured }
}
