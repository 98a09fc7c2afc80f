import type { CallDirection, CallState } from '@hopwhistle/contract/calls.ts'
import { InvalidRequest } from '../errors/catalogue.ts'
import type { FieldError } from '../errors/problem.ts'
import {
  type Fields,
  ID_NEEDED,
  idFrom,
  idIn,
  jsonObject,
  objectIn,
  original,
  type ProviderEvent,
  textOf,
} from './provider.ts'
import { parseProviderTime } from './provider-time.ts'

const NAME = 'sip-cdr'

/** A call detail record, by the names that we give its fields and by those of Asterisk. */
const NAMES = {
  callId: ['call_id', 'uniqueid'],
  from: ['from', 'src'],
  to: ['to', 'dst'],
  direction: ['direction'],
  start: ['start'],
  ringing: ['ringing'],
  answer: ['answer'],
  end: ['end'],
  disposition: ['disposition'],
  sipCode: ['sip_code'],
} as const satisfies Record<string, readonly string[]>
type Cdr = Readonly<Record<keyof typeof NAMES, string | undefined>>

/** Why a call that was not answered ended: by Asterisk's dispositions, and by FreeSWITCH's hangup causes. Anything else is FAILED. */
const DISPOSITIONS: Readonly<Record<string, CallState>> = {
  ANSWERED: 'COMPLETED',
  NORMAL_CLEARING: 'COMPLETED',
  BUSY: 'BUSY',
  USER_BUSY: 'BUSY',
  NO_ANSWER: 'NO_ANSWER',
  NO_USER_RESPONSE: 'NO_ANSWER',
  ALLOTTED_TIMEOUT: 'NO_ANSWER',
  CANCEL: 'CANCELED',
  CANCELED: 'CANCELED',
  ORIGINATOR_CANCEL: 'CANCELED',
  LOSE_RACE: 'CANCELED',
}
/** The final response of SIP to a call that was not answered: RFC 3261, 21. Anything else is FAILED. */
const SIP_CODES: Readonly<Record<string, CallState>> = {
  '200': 'COMPLETED',
  '408': 'NO_ANSWER',
  '480': 'NO_ANSWER',
  '486': 'BUSY',
  '487': 'CANCELED',
  '600': 'BUSY',
}
const DIRECTIONS: Readonly<Record<string, CallDirection>> = { inbound: 'inbound', outbound: 'outbound' }

/**
 * The events of a call that has ended, from its call detail record: INITIATED, and RINGING and ANSWERED where the record has
 * their times, and how it ended. The same record again has the same event ids.
 *
 * @throws {InvalidRequest} naming every field that is missing or no time
 * @throws {MalformedBody}
 */
export function cdrEvents(given: Fields): readonly ProviderEvent[] {
  // A form of FreeSWITCH has the whole record in one field.
  const fields = typeof given.cdr === 'string' ? jsonObject(Buffer.from(given.cdr)) : given
  const variables = objectIn(fields.variables)
  const cdr = variables === undefined ? plainCdr(fields) : freeswitchCdr(variables)
  const errors: FieldError[] = []
  const time = (name: 'start' | 'ringing' | 'answer' | 'end'): number | undefined => {
    const given = cdr[name]
    const ms = given === undefined ? undefined : parseProviderTime(given)
    if (given !== undefined && ms === undefined)
      errors.push({
        field: name,
        message: `is ${JSON.stringify(given.slice(0, 64))}; it may be an RFC 3339 time, or seconds since 1970`,
      })
    return ms
  }
  const times = { INITIATED: time('start'), RINGING: time('ringing'), ANSWERED: time('answer') }
  const end = time('end')
  const ended = endOf(cdr, times.ANSWERED !== undefined)
  if (cdr.callId === undefined) errors.push({ field: 'call_id', message: ID_NEEDED })
  if (cdr.end === undefined) errors.push({ field: 'end', message: 'is missing' })
  if (ended === undefined)
    errors.push({ field: 'disposition', message: 'is missing; a call that was not answered needs it, or sip_code' })
  if (errors.length > 0 || ended === undefined || end === undefined || cdr.callId === undefined)
    throw InvalidRequest(errors)

  const callId = cdr.callId
  const parties = {
    direction: DIRECTIONS[cdr.direction ?? ''] ?? null,
    from: cdr.from ?? null,
    to: cdr.to ?? null,
  }
  const event = (state: CallState, ms: number): ProviderEvent => ({
    // A switch may write several records of one call: what happened at another time is another event.
    eventId: idFrom(NAME, callId, state, String(ms)),
    callId,
    state,
    occurredAt: new Date(ms).toISOString(),
    ...parties,
  })
  const before = Object.entries(times).flatMap(([state, ms]) => (ms === undefined ? [] : event(state as CallState, ms)))
  // On one event only: the record is about the whole call.
  return [...before, { ...event(ended, end), metadata: original(NAME, variables ?? fields) }]
}

function endOf({ disposition, sipCode }: Cdr, isAnswered: boolean): CallState | undefined {
  if (isAnswered) return 'COMPLETED'
  if (disposition !== undefined) return DISPOSITIONS[disposition.toUpperCase().replaceAll(' ', '_')] ?? 'FAILED'
  return sipCode === undefined ? undefined : (SIP_CODES[sipCode] ?? 'FAILED')
}

function plainCdr(fields: Fields): Cdr {
  const entries = Object.entries(NAMES).map(([name, names]) => {
    const read = name === 'callId' ? idIn : textOf
    return [name, names.map((one: string) => read(fields, one)).find((value) => value !== undefined)]
  })
  return Object.fromEntries(entries) as Cdr
}

/**
 * What mod_json_cdr of FreeSWITCH posts: https://developer.signalwire.com/freeswitch/FreeSWITCH-Explained/Modules/mod_json_cdr_4653124.
 * Times are in seconds, 0 for what did not happen, and values may be percent-encoded.
 */
function freeswitchCdr(variables: Fields): Cdr {
  const value = (...names: readonly string[]) =>
    names.map((name) => decoded(textOf(variables, name))).find((one) => one !== undefined)
  const id = (name: string) => decoded(idIn(variables, name))
  const time = (name: string) => {
    const given = value(`${name}_uepoch`, `${name}_epoch`)
    return given === '0' ? undefined : given
  }
  const uri = (name: string) => {
    const given = value(name)
    return given === undefined ? undefined : `sip:${given}`
  }
  return {
    callId: id('uuid') ?? id('sip_call_id'),
    from: uri('sip_from_uri') ?? value('caller_id_number'),
    to: uri('sip_to_uri') ?? value('destination_number'),
    direction: value('direction'),
    start: time('start'),
    ringing: time('progress'),
    answer: time('answer'),
    end: time('end'),
    disposition: value('hangup_cause'),
    sipCode: value('sip_term_status'),
  }
}

function decoded(given: string | undefined): string | undefined {
  if (given?.includes('%') !== true) return given
  try {
    return decodeURIComponent(given)
  } catch {
    return given
  }
}
