/** Asks for one report after the other, over ranges, filters and pages that vary. Runs inside k6. */
import { check } from 'k6'
import exec from 'k6/execution'
import http from 'k6/http'
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
} from '../../../../contract/traffic/report-queries.ts'
import { parsedJson } from '../parsed-json.ts'
import { SENDING_PHASES } from '../phases.ts'
import { isReport } from '../report-shape.ts'
import { requestHeaders } from '../request-headers.ts'
import type { CommonSettings } from '../settings.ts'
import { requestMeter } from './request-meter.ts'
import { elapsedSeconds, type RunContext } from './run-context.ts'

/** The share of metrics answers whose shape is checked; lists are always read, for their cursors. */
const CHECKED = 0.1

const LATENCIES = REPORT_ENDPOINTS.map((endpoint) => `report_latency_${endpoint}`)
export const REPORT_HISTOGRAMS = LATENCIES.flatMap((name) => SENDING_PHASES.map((phase) => `${name}_${phase}`))

/**
 * For the init context of a virtual user.
 *
 * @param rampSeconds of the k6 scenario that reads, after its own start: what is sent from then on belongs to the peak
 * @returns sends the next report of this virtual user
 */
export function reportReader(settings: CommonSettings, rampSeconds: number): (run: RunContext) => void {
  const meter = requestMeter('reports', LATENCIES)
  /** The list of calls that this virtual user is reading. */
  let walk: CallsWalk | undefined
  /** Whose list that is. */
  let turnOfWalk = 0

  return ({ startedAt }) => {
    // Counted in this runner, so that each runner asks for all three alike.
    const endpoint = endpointOf(exec.scenario.iterationInInstance)
    // Another run asks for other ranges.
    const random = seededRandom(startedAt + exec.scenario.iterationInTest * 7919)
    const before = endpoint === 'calls' ? walk : undefined
    const { path, filter } = question(endpoint, random, before)
    const turn = before === undefined ? exec.scenario.iterationInTest : turnOfWalk
    if (endpoint === 'calls') turnOfWalk = turn
    const headers = requestHeaders(settings, turn)

    const phase = elapsedSeconds() < rampSeconds ? 'ramp' : 'peak'
    meter.sent(phase)
    const response = http.get(`${settings.apiUrl}${path}`, { headers, tags: { name: endpoint }, timeout: '30s' })
    let ok = response.status === 200
    if (ok && (endpoint === 'calls' || random() < CHECKED)) {
      const body = parsedJson(response.body)
      ok = check(body, { 'is a report': (answer) => isReport(endpoint, answer) })
      if (endpoint === 'calls') {
        walk = nextWalk(filter, before?.page ?? 0, (body as { nextCursor?: unknown })?.nextCursor)
      }
    } else if (endpoint === 'calls') walk = undefined
    meter.ended(phase, `report_latency_${endpoint}`, ok, response.timings.duration)
  }
}

function question(endpoint: ReportEndpoint, random: () => number, before: CallsWalk | undefined) {
  if (endpoint === 'calls') return callsQuery(random, Date.now(), before)
  const path = endpoint === 'hourly' ? hourlyQuery(random, Date.now()) : dailyQuery(random, Date.now())
  return { path, filter: '' }
}
