/** What the scenario of exports asks for: the feed of changes over and over, exports of calls, and metrics as CSV. */
import { ROUTES } from './contract.routes.ts'
import { hourlyQuery, type Random } from './contract.traffic.report-queries.ts'

/** The names in the histograms: `report_latency_<endpoint>_<phase>`. */
export const EXPORT_ENDPOINTS = ['changes', 'export', 'table'] as const
export type ExportEndpoint = (typeof EXPORT_ENDPOINTS)[number]

/** Of twenty requests, one is an export, two are metrics as CSV, and the others poll the feed. */
export const exportEndpointOf = (iteration: number): ExportEndpoint =>
  iteration % 20 === 3 ? 'export' : iteration % 10 === 8 ? 'table' : 'changes'

export const CSV = 'text/csv'
export const NDJSON = 'application/x-ndjson'
export type LinesType = typeof CSV | typeof NDJSON

/** Of one export: some five pages. */
export const EXPORT_LINES = 1_000
const HISTORY_MS = 30 * 24 * 3_600_000

/** A place in the feed: since when it is read, and the cursor of the answer before. */
export type FeedPlace = { readonly since: string; readonly cursor?: string }

/** A reader of the feed begins with what has changed lately. */
export const feedFrom = (nowMs: number): FeedPlace => ({ since: new Date(nowMs - 60_000).toISOString() })

export const changesQuery = ({ since, cursor }: FeedPlace): string =>
  `${ROUTES.reportCalls}?limit=100&updatedSince=${since}${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`

/** The start of an export, anywhere in the history, half of them of one state. */
export function exportFilter(random: Random, nowMs: number): string {
  const to = new Date(nowMs - random() * 0.8 * HISTORY_MS).toISOString()
  return `startedTo=${to}${random() < 0.5 ? '' : '&state=COMPLETED'}`
}

export const exportQuery = (filter: string, cursor: string | undefined): string =>
  `${ROUTES.reportCalls}?limit=${EXPORT_LINES}&${filter}${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`

export const tableQuery = hourlyQuery

/**
 * Where an export ends: the cursor in its last line, which asks for the lines after it.
 *
 * @returns undefined for what is no whole export; a null cursor after the last call of all
 */
export function exportEnd(
  type: LinesType,
  text: string,
): { readonly lines: number; readonly cursor: string | null } | undefined {
  if (type === NDJSON && text === '') return { lines: 0, cursor: null }
  if (!text.endsWith('\n')) return undefined
  const lines = text.trimEnd().split(/\r?\n/)
  const last = lines.at(-1) ?? ''
  if (type === CSV) {
    // No name, number or label of the demo has a line end in it.
    if (!lines[0]?.startsWith('callId,') || !lines[0].endsWith(',cursor')) return undefined
    if (lines.length === 1) return { lines: 0, cursor: null }
    return { lines: lines.length - 1, cursor: last.slice(last.lastIndexOf(',') + 1) || null }
  }
  try {
    const { callId, cursor } = JSON.parse(last) as { readonly callId?: unknown; readonly cursor?: unknown }
    return typeof callId === 'string' && (cursor === null || typeof cursor === 'string')
      ? { lines: lines.length, cursor }
      : undefined
  } catch {
    return undefined
  }
}
