/** What a run has in common over all its VUs: made once by `setup`, handed to every iteration and to the summary. */
import exec from 'k6/execution'
import http from 'k6/http'
import { ROUTES } from './contract.routes.ts'
import { refusedAccess } from './lib.refused-access.ts'
import { requestHeaders } from './lib.request-headers.ts'
import type { CommonSettings } from './lib.settings.ts'

export type RunContext = {
  readonly runId: string
  /** Unix milliseconds. */
  readonly startedAt: number
}

/**
 * Asks the API once whether it is there and takes the key and the tenant, of several the last, so that a wrong one is one
 * clear error and not minutes of failures. Quick, for k6 calls it on every runner before the load begins.
 */
export function begin(settings: CommonSettings): RunContext {
  const url = `${settings.apiUrl}${ROUTES.reportCalls}?limit=1`
  const headers = requestHeaders(settings, settings.tenants - 1)
  const response = http.get(url, { headers, timeout: '10s', tags: { name: 'setup' } })
  const { status, body, error } = response
  const refused = refusedAccess(settings, settings.scenario, status, status === 0 ? error : String(body))
  if (refused !== undefined) exec.test.abort(refused)
  const startedAt = Date.now()
  return { runId: settings.runId ?? `run-${startedAt.toString(36)}`, startedAt }
}

/** Seconds since the scenario that runs this iteration began. */
export const elapsedSeconds = (): number => (Date.now() - exec.scenario.startTime) / 1000

/** The options that all scenarios share. */
export const COMMON_OPTIONS = {
  // Fewer tags: k6 keeps a time series of every combination, and nothing here reads the others.
  systemTags: ['scenario', 'name', 'status', 'error_code', 'expected_response'],
  // 1,000 points of each trend: k6's own percentiles, to check those from buckets against.
  summaryTrendStats: [
    'count',
    'min',
    'max',
    'avg',
    'med',
    ...Array.from({ length: 999 }, (_, i) => `p(${(i + 1) / 10})`),
    'p(99.99)',
  ],
  setupTimeout: '15s',
}
