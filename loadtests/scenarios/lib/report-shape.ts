/** A cheap look at whether a report is one: enough to notice an empty or wrong body that says 200. */
import type { ReportEndpoint } from '../../../contract/traffic/report-queries.ts'

/** @param body the parsed answer */
export function isReport(endpoint: ReportEndpoint, body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false
  const report = body as Record<string, unknown>
  if (typeof report.source !== 'string' || !(Date.parse(String(report.asOf)) > 0)) return false
  if (endpoint === 'calls') return Array.isArray(report.calls) && 'nextCursor' in report
  const buckets = report.buckets
  return typeof report.totals === 'object' && Array.isArray(buckets) && buckets.length > 0
}
