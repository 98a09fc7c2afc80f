/** Calls as Twilio and a switch report them, for load tests. */
import type { PhoneNumbers } from './call-progress.ts'

/** The names in the histograms: `update_latency_<kind>_<phase>`. */
export const CALLBACK_KINDS = ['twilio', 'cdr'] as const
export type CallbackKind = (typeof CALLBACK_KINDS)[number]

/** What Twilio reports of every call, one callback each. */
const STATUSES = ['initiated', 'ringing', 'in-progress', 'completed'] as const
/** The events in each of our call detail records: INITIATED, RINGING, ANSWERED and COMPLETED. */
export const EVENTS_OF_CDR = 4

export type FormFields = Readonly<Record<string, string>>

/** The endless status callbacks of calls, one call after the other. @param prefix begins every CallSid */
export function statusCallbacks(prefix: string, { from, to }: PhoneNumbers): (at: Date) => FormFields {
  let step = 0
  return (at) => {
    const number = step % STATUSES.length
    const call = Math.floor(step / STATUSES.length)
    step += 1
    return {
      AccountSid: 'AC00000000000000000000000000000000',
      ApiVersion: '2010-04-01',
      CallSid: `${prefix}.${call}`,
      CallStatus: STATUSES[number] ?? 'initiated',
      CallbackSource: 'call-progress-events',
      Called: to,
      Caller: from,
      Direction: 'inbound',
      From: from,
      SequenceNumber: String(number),
      Timestamp: at.toUTCString().replace('GMT', '+0000'),
      To: to,
    }
  }
}

/** The record of a call that ended just now. */
export function callDetailRecord(callId: string, endedAt: Date, { from, to }: PhoneNumbers): object {
  const before = (seconds: number) => new Date(endedAt.getTime() - 1000 * seconds).toISOString()
  const [start, ringing, answer] = [before(75), before(73), before(65)]
  return { call_id: callId, from, to, direction: 'inbound', start, ringing, answer, end: endedAt.toISOString() }
}

/** As X-Twilio-Signature signs them: the URL, then names and values, by name. */
export const signedText = (url: string, fields: FormFields): string =>
  url +
  Object.keys(fields)
    .sort()
    .map((name) => `${name}${fields[name]}`)
    .join('')
