/**
 * Zones, filters and groups: metrics in time zones, with filters and in groups, over ranges that vary.
 * An open model: the rate does not yield to slow answers.
 *
 *   k6 run --env API_URL=http://localhost:3001 --env API_KEY=test-api-key \
 *     --env TENANT_ID=00000000-0000-0000-0000-000000000000 reporting-zones.ts
 */
import { check } from 'k6'
import exec from 'k6/execution'
import http from 'k6/http'
import type { Options } from 'k6/options'
import { seededRandom } from '../../contract/traffic/report-queries.ts'
import { ZONE_ENDPOINTS, zoneEndpointOf, zoneQuery } from '../../contract/traffic/zone-queries.ts'
import { bucketThresholds } from './lib/bucket-names.ts'
import { finish, keepComplete } from './lib/k6/finish.ts'
import { requestCounters, requestMeter } from './lib/k6/request-meter.ts'
import { begin, COMMON_OPTIONS, elapsedSeconds, type RunContext } from './lib/k6/run-context.ts'
import { parsedJson } from './lib/parsed-json.ts'
import { peakFrom, requestPhases, SENDING_PHASES } from './lib/phases.ts'
import { isZoneReport } from './lib/report-shape.ts'
import { requestHeaders } from './lib/request-headers.ts'
import { requestScenario } from './lib/request-scenario.ts'
import { readSettings } from './lib/settings.ts'
import { thresholdsOf } from './lib/thresholds.ts'

const settings = readSettings(__ENV, 'reporting-zones')
keepComplete(settings)
const phases = requestPhases(settings.shape)
const peakFromSeconds = peakFrom(phases)
const latencies = ZONE_ENDPOINTS.map((endpoint) => `report_latency_${endpoint}`)
const histograms = latencies.flatMap((name) => SENDING_PHASES.map((phase) => `${name}_${phase}`))
const meter = requestMeter('reports', latencies)

export const options: Options = {
  ...COMMON_OPTIONS,
  scenarios: { reports: requestScenario(settings.shape, settings.offeredPerSecond) },
  // k6 reads the options of its first VU only: the others need not build this table.
  thresholds: __VU === 0 ? { ...bucketThresholds(histograms), ...thresholdsOf(settings) } : {},
}

export const setup = (): RunContext => begin(settings)

export default function report({ startedAt }: RunContext): void {
  const { iterationInInstance, iterationInTest } = exec.scenario
  // Counted in this runner, so that each runner asks for all three alike.
  const endpoint = zoneEndpointOf(iterationInInstance)
  // Another run asks for other ranges.
  const path = zoneQuery(endpoint, seededRandom(startedAt + iterationInTest * 7919), Date.now())
  const phase = elapsedSeconds() < peakFromSeconds ? 'ramp' : 'peak'
  const params = { headers: requestHeaders(settings, iterationInTest), tags: { name: endpoint }, timeout: '30s' }
  meter.sent(phase)
  const { status, body, timings } = http.get(`${settings.apiUrl}${path}`, params)
  const ok = status === 200 && check(parsedJson(body), { 'is such metrics': (answer) => isZoneReport(path, answer) })
  meter.ended(phase, `report_latency_${endpoint}`, ok, timings.duration)
}

export const handleSummary = (data: Parameters<typeof finish>[1]) =>
  finish(settings, data, { phases, counters: requestCounters('reports'), trends: ['report_latency_peak'] })
