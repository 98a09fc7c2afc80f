/** Posts the events of one call after the other. Runs inside k6. */
import exec from 'k6/execution'
import http from 'k6/http'
import type { CallEventBody } from './contract.calls.ts'
import { ROUTES } from './contract.routes.ts'
import { callEvents, fictionalNumbers, PROGRESS } from './contract.traffic.call-progress.ts'
import { SENDING_PHASES } from './lib.phases.ts'
import { requestHeaders } from './lib.request-headers.ts'
import type { CommonSettings } from './lib.settings.ts'
import { requestMeter } from './lib.k6.request-meter.ts'
import { elapsedSeconds, type RunContext } from './lib.k6.run-context.ts'

export const UPDATE_HISTOGRAMS = SENDING_PHASES.map((phase) => `update_latency_${phase}`)

/**
 * For the init context of a virtual user.
 *
 * @param rampSeconds as of `reportReader`
 * @returns posts the next state of this virtual user's call
 */
export function statePoster(settings: CommonSettings, rampSeconds: number): (run: RunContext) => void {
  const meter = requestMeter('updates', ['update_latency'])
  const url = `${settings.apiUrl}${ROUTES.demoCallEvent}`
  const params = {
    tags: { name: `POST ${ROUTES.demoCallEvent}` },
    timeout: '30s',
  }
  /** The calls of this virtual user. */
  let nextEvent: ((occurredAt: Date) => CallEventBody) | undefined
  let sent = 0

  return ({ runId, startedAt }) => {
    const vu = exec.vu.idInTest
    nextEvent ??= callEvents(`${runId}.${startedAt}.${vu}`, fictionalNumbers(vu))
    const phase = elapsedSeconds() < rampSeconds ? 'ramp' : 'peak'
    // All events of a call are one tenant's. A prime, so that each virtual user comes to all of the tenants.
    const headers = requestHeaders(settings, vu + Math.floor(sent++ / PROGRESS.length) * 7919)
    const body = JSON.stringify(nextEvent(new Date()))
    meter.sent(phase)
    const response = http.post(url, body, { ...params, headers })
    const ok = response.status >= 200 && response.status < 300 && response.json('outcome') === 'applied'
    meter.ended(phase, 'update_latency', ok, response.timings.duration)
  }
}
