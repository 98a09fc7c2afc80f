import { createPublicKey, verify } from 'node:crypto'
import type { CallState } from '@hopwhistle/contract/calls.ts'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { statusEvents } from './call-status.ts'
import {
  type Fields,
  fieldsOf,
  idFrom,
  objectIn,
  original,
  type Provider,
  type ProviderEvent,
  requiredId,
  textOf,
} from './provider.ts'
import { parseProviderTime } from './provider-time.ts'

const KEY_BYTES = 32
const SIGNATURE_BYTES = 64
/** How old a callback may be, or how far ahead its clock: one that somebody has kept is refused later. */
const TOLERANCE_SECONDS = 300

/** How a call ended: https://developers.telnyx.com/api-reference/callbacks/call-hangup. Anything else is FAILED. */
const ENDS: Readonly<Record<string, CallState>> = {
  normal_clearing: 'COMPLETED',
  time_limit: 'COMPLETED',
  originator_cancel: 'CANCELED',
  user_busy: 'BUSY',
  no_answer: 'NO_ANSWER',
  timeout: 'NO_ANSWER',
}

/**
 * Webhooks of calls, of the Voice API as JSON and of TeXML as a form, signed as in
 * https://developers.telnyx.com/development/api-fundamentals/webhooks/receiving-webhooks: Ed25519 over the time, a | and the body,
 * by the key whose public half the portal shows.
 */
export const telnyx: Provider = {
  name: 'telnyx',
  title: 'Telnyx',
  route: ROUTES.eventsFromTelnyx,
  secretProblem: (secret) =>
    Buffer.from(secret, 'base64').length === KEY_BYTES
      ? undefined
      : 'must be the public key of the account, 32 bytes in Base64',
  signatureProblem: ({ headers, body }, secret, nowMs) => {
    const given = headers['telnyx-signature-ed25519']
    const timestamp = headers['telnyx-timestamp']
    if (typeof given !== 'string' || typeof timestamp !== 'string')
      return 'the header telnyx-signature-ed25519 or telnyx-timestamp is missing'
    const signature = Buffer.from(given, 'base64')
    const signed = Buffer.concat([Buffer.from(`${timestamp}|`), body])
    if (signature.length !== SIGNATURE_BYTES || !verify(null, signed, publicKey(secret), signature))
      return 'telnyx-signature-ed25519 does not fit the public key, telnyx-timestamp and the body'
    const ageSeconds = nowMs / 1000 - Number(timestamp)
    // What is no number is not within the tolerance.
    if (!(Math.abs(ageSeconds) <= TOLERANCE_SECONDS))
      return `telnyx-timestamp is more than ${TOLERANCE_SECONDS} seconds from the time here`
    return undefined
  },
  eventsOf: (callback, nowMs) => {
    const fields = fieldsOf(callback)
    return 'data' in fields ? voiceEvents(fields, nowMs) : statusEvents('telnyx', fields, nowMs)
  },
}

/** An Ed25519 key of 32 bytes, as Node takes one. */
const publicKey = (secret: string) =>
  createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(secret, 'base64').toString('base64url') },
    format: 'jwk',
  })

/** The id of a webhook stays the same when it is sent again. */
function voiceEvents(body: Fields, nowMs: number): readonly ProviderEvent[] {
  const data = objectIn(body.data) ?? {}
  const payload = objectIn(data.payload) ?? {}
  const state = stateOf(textOf(data, 'event_type'), textOf(payload, 'hangup_cause'))
  if (state === undefined) return []
  const direction = textOf(payload, 'direction')
  return [
    {
      eventId: idFrom('telnyx', requiredId(data, 'id')),
      callId: requiredId(payload, 'call_leg_id'),
      state,
      occurredAt: new Date(parseProviderTime(textOf(data, 'occurred_at') ?? '') ?? nowMs).toISOString(),
      direction: direction === 'incoming' ? 'inbound' : direction === 'outgoing' ? 'outbound' : null,
      from: textOf(payload, 'from') ?? null,
      to: textOf(payload, 'to') ?? null,
      metadata: original('telnyx', { event_type: data.event_type, ...payload }),
    },
  ]
}

function stateOf(type: string | undefined, cause: string | undefined): CallState | undefined {
  switch (type) {
    case 'call.initiated':
      return 'INITIATED'
    case 'call.answered':
      return 'ANSWERED'
    case 'call.hangup':
      return ENDS[cause ?? ''] ?? 'FAILED'
    default:
      return undefined
  }
}
