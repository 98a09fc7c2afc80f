/** Call status callbacks as Twilio sends them, and, for TeXML, Telnyx. */
import type { CallState } from '@hopwhistle/contract/calls.ts'
import { type Fields, idFrom, original, type ProviderEvent, requiredId, textOf } from './provider.ts'
import { parseProviderTime } from './provider-time.ts'

const STATES: Readonly<Record<string, CallState>> = {
  queued: 'INITIATED',
  initiated: 'INITIATED',
  ringing: 'RINGING',
  'in-progress': 'ANSWERED',
  answered: 'ANSWERED',
  completed: 'COMPLETED',
  busy: 'BUSY',
  'no-answer': 'NO_ANSWER',
  failed: 'FAILED',
  canceled: 'CANCELED',
}

/**
 * The event in a status callback: one for each status and number in the sequence, so that a callback that is repeated is a
 * duplicate. None when it has no status of a call, as that of a recording.
 *
 * Without a Timestamp, as in the request for instructions that comes with a call, it happened when it came.
 *
 * @throws {InvalidRequest} the status of no call
 */
export function statusEvents(provider: string, fields: Fields, nowMs: number): readonly ProviderEvent[] {
  const status = textOf(fields, 'CallStatus')
  const state = status === undefined ? undefined : STATES[status]
  if (status === undefined || state === undefined) return []
  const callSid = requiredId(fields, 'CallSid')
  const direction = textOf(fields, 'Direction')
  return [
    {
      eventId: idFrom(provider, callSid, status, textOf(fields, 'SequenceNumber') ?? '-'),
      callId: callSid,
      state,
      occurredAt: new Date(parseProviderTime(textOf(fields, 'Timestamp') ?? '') ?? nowMs).toISOString(),
      direction: direction?.startsWith('outbound') ? 'outbound' : direction?.startsWith('inbound') ? 'inbound' : null,
      from: textOf(fields, 'From') ?? null,
      to: textOf(fields, 'To') ?? null,
      metadata: original(provider, fields),
    },
  ]
}
