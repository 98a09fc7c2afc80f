/**
 * Call state updates: every virtual user owns one call after the other and posts its next state in each iteration,
 * INITIATED → RINGING → ANSWERED → COMPLETED. An open model: the rate does not yield to slow answers.
 *
 *   k6 run --env API_URL=http://localhost:3001 --env API_KEY=test-api-key call-state-updates.ts
 */
import exec from 'k6/execution'
import http from 'k6/http'
import type { Options } from 'k6/options'
import type { CallEventBody } from './contract.calls.ts'
import { ROUTES } from './contract.routes.ts'
import { callEvents, fictionalNumbers, PROGRESS } from './contract.traffic.call-progress.ts'
import { bucketThresholds } from './lib.bucket-names.ts'
import { finish, keepComplete } from './lib.k6.finish.ts'
import { requestCounters, requestMeter } from './lib.k6.request-meter.ts'
import { begin, COMMON_OPTIONS, elapsedSeconds, type RunContext } from './lib.k6.run-context.ts'
import { peakFrom, requestPhases, SENDING_PHASES } from './lib.phases.ts'
import { requestHeaders } from './lib.request-headers.ts'
import { requestScenario } from './lib.request-scenario.ts'
import { readSettings } from './lib.settings.ts'
import { thresholdsOf } from './lib.thresholds.ts'

const settings = readSettings(__ENV, 'call-state-updates')
keepComplete(settings)
const phases = requestPhases(settings.shape)
const peakFromSeconds = peakFrom(phases)
const histograms = SENDING_PHASES.map((phase) => `update_latency_${phase}`)
const meter = requestMeter('updates', ['update_latency'])

export const options: Options = {
  ...COMMON_OPTIONS,
  scenarios: { updates: requestScenario(settings.shape, settings.offeredPerSecond) },
  // k6 reads the options of its first VU only: the others need not build this table.
  thresholds: __VU === 0 ? { ...bucketThresholds(histograms), ...thresholdsOf(settings) } : {},
}

const url = `${settings.apiUrl}${ROUTES.demoCallEvent}`
const params = {
  tags: { name: `POST ${ROUTES.demoCallEvent}` },
  timeout: '30s',
}

/** The calls of this virtual user. */
let nextEvent: ((occurredAt: Date) => CallEventBody) | undefined
let sent = 0

export const setup = (): RunContext => begin(settings)

export default function postNextState({ runId, startedAt }: RunContext): void {
  const vu = exec.vu.idInTest
  nextEvent ??= callEvents(`${runId}.${startedAt}.${vu}`, fictionalNumbers(vu))
  const phase = elapsedSeconds() < peakFromSeconds ? 'ramp' : 'peak'
  // All events of a call are one tenant's. A prime, so that each virtual user comes to all of the tenants.
  const headers = requestHeaders(settings, vu + Math.floor(sent++ / PROGRESS.length) * 7919)
  const body = JSON.stringify(nextEvent(new Date()))
  meter.sent(phase)
  const response = http.post(url, body, { ...params, headers })
  const ok = response.status >= 200 && response.status < 300 && response.json('outcome') === 'applied'
  meter.ended(phase, 'update_latency', ok, response.timings.duration)
}

export const handleSummary = (data: Parameters<typeof finish>[1]) =>
  finish(settings, data, { phases, counters: requestCounters('updates'), trends: ['update_latency_peak'] })
