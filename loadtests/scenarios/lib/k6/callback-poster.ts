/** Posts callbacks of Twilio and call detail records. Runs inside k6. */
import crypto from 'k6/crypto'
import exec from 'k6/execution'
import http from 'k6/http'
import { Counter } from 'k6/metrics'
import { DEMO_TWILIO_TOKEN, demoTwilioCallback } from '../../../../contract/demo.ts'
import { ROUTES } from '../../../../contract/routes.ts'
import { fictionalNumbers } from '../../../../contract/traffic/call-progress.ts'
import {
  CALLBACK_KINDS,
  type CallbackKind,
  callDetailRecord,
  EVENTS_OF_CDR,
  type FormFields,
  signedText,
  statusCallbacks,
} from '../../../../contract/traffic/provider-callbacks.ts'
import type { Env } from '../env-reader.ts'
import { parsedJson } from '../parsed-json.ts'
import { SENDING_PHASES } from '../phases.ts'
import { requestHeaders } from '../request-headers.ts'
import type { CommonSettings } from '../settings.ts'
import { requestMeter } from './request-meter.ts'
import { elapsedSeconds, type RunContext } from './run-context.ts'
import { setupRequests } from './setup-requests.ts'

const LATENCIES = CALLBACK_KINDS.map((kind) => `update_latency_${kind}`)
export const CALLBACK_HISTOGRAMS = LATENCIES.flatMap((name) => SENDING_PHASES.map((phase) => `${name}_${phase}`))
/** Of requests that were acknowledged, the events beyond one each. */
export const CALLBACK_COUNTERS = SENDING_PHASES.map((phase) => `updates_more_events_${phase}`)

const FORM = 'application/x-www-form-urlencoded'
const DEMO_CALLBACK = 'npm run db:seed:demo with PROVIDER_SECRETS_KEY makes that of the demo data'

/**
 * For the init context of a virtual user.
 *
 * @param env TWILIO_CALLBACK, TWILIO_AUTH_TOKEN and PUBLIC_URL, unless they are those of the demo data and of a platform
 *   without PUBLIC_URL
 * @param rampSeconds as of `reportReader`
 */
export function callbackPoster(settings: CommonSettings, env: Env, rampSeconds: number) {
  const { apiUrl, tenants } = settings
  const token = env.TWILIO_AUTH_TOKEN || DEMO_TWILIO_TOKEN
  /** As the API, without PUBLIC_URL, takes it to be called. */
  const publicUrl = (env.PUBLIC_URL || apiUrl.replace(/^https?:/, 'https:')).replace(/\/+$/, '')
  const meter = requestMeter('updates', LATENCIES)
  const moreEvents = new Map(SENDING_PHASES.map((phase) => [phase, new Counter(`updates_more_events_${phase}`)]))
  /** The calls of this virtual user that Twilio reports. */
  let nextStatus: ((at: Date) => FormFields) | undefined
  let twilioSent = 0
  let records = 0

  const pathOf = (tenant: number) =>
    ROUTES.eventsFromTwilio.replace(':callback', env.TWILIO_CALLBACK || demoTwilioCallback(tenant))

  /** One that is not signed is refused with 403 where there is such a callback, and with 404 where there is none. */
  function checkCallback(): void {
    const url = `${apiUrl}${pathOf(tenants - 1)}`
    const params = { headers: { 'content-type': FORM }, timeout: '10s', tags: { name: 'setup' } }
    const { status } = http.post(url, 'CallSid=setup', params)
    setupRequests.add(1)
    if (status === 404)
      exec.test.abort(
        `TWILIO_CALLBACK is none of ${apiUrl} (404): ${DEMO_CALLBACK}, and tenants -- providers add any other`,
      )
  }

  const post: Readonly<Record<CallbackKind, (prefix: string, vu: number) => ReturnType<typeof http.post>>> = {
    twilio(prefix, vu) {
      nextStatus ??= statusCallbacks(`${prefix}.t${vu}`, fictionalNumbers(vu))
      // All callbacks of a call are one tenant's.
      const path = pathOf((vu + Math.floor(twilioSent++ / 4) * 7919) % tenants)
      const fields = nextStatus(new Date())
      const signature = crypto.hmac('sha1', token, signedText(publicUrl + path, fields), 'base64')
      const headers = { 'content-type': FORM, 'x-twilio-signature': signature }
      return http.post(apiUrl + path, { ...fields }, { headers, tags: { name: 'twilio' }, timeout: '30s' })
    },
    cdr(prefix, vu) {
      const record = callDetailRecord(`${prefix}.c${vu}.${records++}`, new Date(), fictionalNumbers(vu))
      const params = { headers: requestHeaders(settings, vu + records), tags: { name: 'cdr' }, timeout: '30s' }
      return http.post(apiUrl + ROUTES.eventsFromSipCdr, JSON.stringify(record), params)
    },
  }
  const EVENTS: Readonly<Record<CallbackKind, number>> = { twilio: 1, cdr: EVENTS_OF_CDR }

  function postNext({ runId, startedAt }: RunContext): void {
    const kind = CALLBACK_KINDS[exec.scenario.iterationInInstance % CALLBACK_KINDS.length] ?? 'cdr'
    const phase = elapsedSeconds() < rampSeconds ? 'ramp' : 'peak'
    meter.sent(phase)
    const { status, body, timings } = post[kind](`${runId}.${startedAt}`, exec.vu.idInTest)
    const taken = status === 201 ? (parsedJson(body) as { readonly events?: unknown } | undefined)?.events : undefined
    // Whatever order they are stored in, none of them was there before.
    const ok =
      Array.isArray(taken) && taken.length === EVENTS[kind] && taken.every(({ outcome }) => outcome !== 'duplicate')
    meter.ended(phase, `update_latency_${kind}`, ok, timings.duration)
    if (ok) moreEvents.get(phase)?.add(EVENTS[kind] - 1)
  }

  return { checkCallback, postNext }
}
