/**
 * Reporting endpoints: metrics by the hour, lists of calls and metrics by the day, in equal shares, over ranges, filters
 * and pages that vary. An open model: the rate does not yield to slow answers.
 *
 *   k6 run --env API_URL=http://localhost:3001 --env API_KEY=test-api-key \
 *     --env TENANT_ID=00000000-0000-0000-0000-000000000000 reporting-endpoints.ts
 */
import { check } from 'k6'
import exec from 'k6/execution'
import http from 'k6/http'
import type { Options } from 'k6/options'
import {
  type CallsWalk,
  callsQuery,
  dailyQuery,
  endpointOf,
  hourlyQuery,
  nextWalk,
  REPORT_ENDPOINTS,
  type ReportEndpoint,
  seededRandom,
} from './contract.traffic.report-queries.ts'
import { bucketThresholds } from './lib.bucket-names.ts'
import { finish, keepComplete } from './lib.k6.finish.ts'
import { requestMeter } from './lib.k6.request-meter.ts'
import { begin, COMMON_OPTIONS, elapsedSeconds, type RunContext, requestHeaders } from './lib.k6.run-context.ts'
import { peakFrom, requestPhases, SENDING_PHASES } from './lib.phases.ts'
import { isReport } from './lib.report-shape.ts'
import { requestScenario } from './lib.request-scenario.ts'
import { readRequestSettings } from './lib.settings.ts'
import { reportingThresholds } from './lib.thresholds.ts'

/** The share of metrics answers whose shape is checked; lists are always read, for their cursors. */
const CHECKED = 0.1

const settings = readRequestSettings(__ENV, 'reporting-endpoints')
keepComplete(settings)
const phases = requestPhases(settings.shape)
const peakFromSeconds = peakFrom(phases)
const latencies = REPORT_ENDPOINTS.map((endpoint) => `report_latency_${endpoint}`)
const meter = requestMeter('reports', latencies, 'report_latency_peak')
const histograms = latencies.flatMap((name) => SENDING_PHASES.map((phase) => `${name}_${phase}`))

export const options: Options = {
  ...COMMON_OPTIONS,
  scenarios: { reports: requestScenario(settings) },
  // k6 reads the options of its first VU only: the others need not build this table.
  thresholds: __VU === 0 ? { ...bucketThresholds(histograms), ...reportingThresholds(settings) } : {},
}

const headers = requestHeaders(settings)

/** The list of calls that this virtual user is reading. */
let walk: CallsWalk | undefined

export const setup = (): RunContext => begin(settings)

export default function report({ startedAt }: RunContext): void {
  // Counted in this runner, so that each runner asks for all three alike.
  const endpoint = endpointOf(exec.scenario.iterationInInstance)
  // Another run asks for other ranges.
  const random = seededRandom(startedAt + exec.scenario.iterationInTest * 7919)
  const before = endpoint === 'calls' ? walk : undefined
  const { path, filter } = question(endpoint, random, before)

  const phase = elapsedSeconds() < peakFromSeconds ? 'ramp' : 'peak'
  meter.sent(phase)
  const response = http.get(`${settings.apiUrl}${path}`, { headers, tags: { name: endpoint }, timeout: '30s' })
  let ok = response.status === 200
  if (ok && (endpoint === 'calls' || random() < CHECKED)) {
    const body = parsed(response.body)
    ok = check(body, { 'is a report': (answer) => isReport(endpoint, answer) })
    if (endpoint === 'calls') walk = nextWalk(filter, before?.page ?? 0, (body as { nextCursor?: unknown })?.nextCursor)
  } else if (endpoint === 'calls') walk = undefined
  meter.ended(phase, `report_latency_${endpoint}`, ok, response.timings.duration)
}

function question(endpoint: ReportEndpoint, random: () => number, before: CallsWalk | undefined) {
  if (endpoint === 'calls') return callsQuery(random, Date.now(), before)
  const path = endpoint === 'hourly' ? hourlyQuery(random, Date.now()) : dailyQuery(random, Date.now())
  return { path, filter: '' }
}

function parsed(body: unknown): unknown {
  try {
    return JSON.parse(String(body))
  } catch {
    return undefined
  }
}

export const handleSummary = (data: Parameters<typeof finish>[1]) =>
  finish(settings, data, {
    phases,
    counters: ['sent', 'ok', 'failed'].flatMap((what) => SENDING_PHASES.map((phase) => `reports_${what}_${phase}`)),
    trends: ['report_latency_peak'],
  })
