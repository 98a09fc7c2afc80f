/** A cheap look at whether a report is one: enough to notice an empty or wrong body that says 200. */
import type { ReportEndpoint } from './contract.traffic.report-queries.ts'

/** @param body the parsed answer */
export function isReport(endpoint: ReportEndpoint, body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false
  const report = body as Record<string, unknown>
  if (typeof report.source !== 'string' || !(Date.parse(String(report.asOf)) > 0)) return false
  if (endpoint === 'calls') return Array.isArray(report.calls) && 'nextCursor' in report
  const buckets = report.buckets
  return typeof report.totals === 'object' && Array.isArray(buckets) && buckets.length > 0
}

/**
 * Whether the answer to a request for metrics is one: in the zone that was asked for, and with groups whose calls add up to
 * the total.
 *
 * @param path as it was asked for
 * @param body the parsed answer
 */
export function isZoneReport(path: string, body: unknown): boolean {
  if (!isReport('hourly', body)) return false
  const { timezone, totals, groups } = body as {
    readonly timezone?: unknown
    readonly totals: Counted
    readonly groups?: readonly Counted[]
  }
  const asked = /[?&]timezone=([^&]+)/.exec(path)?.[1]
  if (asked !== undefined && decodeURIComponent(asked) !== timezone) return false
  if (!path.includes('groupBy=')) return groups === undefined
  return groups?.reduce((sum, group) => sum + (group.calls ?? 0), 0) === totals.calls
}

type Counted = { readonly calls?: number }

/** Whether the answer is a page of the feed of changes, which always says where to go on. */
export function isFeedPage(body: unknown): body is { readonly nextCursor: string } {
  if (typeof body !== 'object' || body === null) return false
  const { calls, nextCursor, more } = body as Record<string, unknown>
  return Array.isArray(calls) && typeof nextCursor === 'string' && typeof more === 'boolean'
}
