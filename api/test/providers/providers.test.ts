import { createHmac, generateKeyPairSync, hash, sign } from 'node:crypto'
import { EVENT_BOUNDS } from '@hopwhistle/contract/calls.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseEvent } from '../../src/calls/parse-event.ts'
import { type Callback, type Fields, original, parseForm } from '../../src/providers/provider.ts'
import { parseProviderTime } from '../../src/providers/provider-time.ts'
import { cdrEvents } from '../../src/providers/sip-cdr.ts'
import { telnyx } from '../../src/providers/telnyx.ts'
import { twilio } from '../../src/providers/twilio.ts'
import {
  ASTERISK_CDR,
  FREESWITCH_CDR,
  TELNYX_HANGUP,
  TELNYX_TEXML_ANSWERED,
  TELNYX_TEXML_COMPLETED,
  TWILIO_SIGNED,
  TWILIO_STATUS,
} from './documented-callbacks.ts'

const NOW = Date.parse('2026-01-31T12:00:00Z')
const AT = '2026-01-31T11:59:00.000Z'
const URL_OF_CALLBACK = 'https://calls.example.com/api/v1/events/from/twilio/x'

function formCallback(fields: Readonly<Record<string, string>>, given: Partial<Callback> = {}): Callback {
  const body = Buffer.from(new URLSearchParams(fields).toString())
  return { headers: {}, urls: [URL_OF_CALLBACK], body, form: parseForm(body), ...given }
}
const jsonCallback = (value: unknown, given: Partial<Callback> = {}): Callback => ({
  headers: {},
  urls: [URL_OF_CALLBACK],
  body: Buffer.from(JSON.stringify(value)),
  form: undefined,
  ...given,
})

test.each(TWILIO_SIGNED)(
  'Twilio: the documented signature $signature is right, and no other is',
  ({ token, url, form, signature }) => {
    const callback = (fields: Record<string, string>, address = url as string, given = signature as string) =>
      formCallback(fields, { urls: [address], headers: { 'x-twilio-signature': given } })
    expect(twilio.signatureProblem(callback(form), token, NOW)).toBeUndefined()
    // By whatever address out of several.
    const several = { ...callback(form), urls: ['https://elsewhere.example', url] }
    expect(twilio.signatureProblem(several, token, NOW)).toBeUndefined()
    for (const [wrong, secret] of [
      [callback({ ...form, Digits: '1235' }), token],
      [callback({ ...form, More: '' }), token],
      [callback(form, 'https://mycompany.com/myapp.php?foo=1'), token],
      [callback(form, url, `${signature.slice(0, -2)}A=`), token],
      [callback(form, url, ''), token],
      [callback(form), '12346'],
      [{ ...callback(form), headers: {} }, token],
    ] as const) {
      expect(twilio.signatureProblem(wrong, secret, NOW)).toMatch(/X-Twilio-Signature/)
    }
  },
)

test('Twilio: a body that is JSON is signed by its hash in the address', () => {
  const body = { CallSid: 'CA1', CallStatus: 'ringing' }
  const bytes = Buffer.from(JSON.stringify(body))
  const url = `${URL_OF_CALLBACK}?bodySHA256=${hash('sha256', bytes, 'hex')}`
  const headers = { 'x-twilio-signature': createHmac('sha1', 'token').update(url).digest('base64') }
  expect(twilio.signatureProblem(jsonCallback(body, { urls: [url], headers }), 'token', NOW)).toBeUndefined()
  const other = jsonCallback({ ...body, CallStatus: 'busy' }, { urls: [url], headers })
  expect(twilio.signatureProblem(other, 'token', NOW)).toContain('bodySHA256')
  const unhashed = { 'x-twilio-signature': createHmac('sha1', 'token').update(URL_OF_CALLBACK).digest('base64') }
  expect(twilio.signatureProblem(jsonCallback(body, { headers: unhashed }), 'token', NOW)).toContain('bodySHA256')
})

test('Twilio: of a name that is there more often, each value is signed once, in order', () => {
  const body = Buffer.from('b=2&a=1&b=1&b=2')
  const signature = createHmac('sha1', 'token').update(`${URL_OF_CALLBACK}a1b1b2`).digest('base64')
  const callback = {
    headers: { 'x-twilio-signature': signature },
    urls: [URL_OF_CALLBACK],
    body,
    form: parseForm(body),
  }
  expect(twilio.signatureProblem(callback, 'token', NOW)).toBeUndefined()
})

test.each([
  ['queued', 'INITIATED'],
  ['initiated', 'INITIATED'],
  ['ringing', 'RINGING'],
  ['in-progress', 'ANSWERED'],
  ['completed', 'COMPLETED'],
  ['busy', 'BUSY'],
  ['no-answer', 'NO_ANSWER'],
  ['failed', 'FAILED'],
  ['canceled', 'CANCELED'],
])('Twilio: the status %s is %s, and the original is kept', (CallStatus, state) => {
  const fields = { ...TWILIO_STATUS, CallStatus, Timestamp: 'Sat, 31 Jan 2026 11:59:00 +0000' }
  const [event, ...others] = twilio.eventsOf(formCallback(fields), NOW)
  expect(others).toEqual([])
  expect(event).toEqual({
    eventId: `twilio:${TWILIO_STATUS.CallSid}:${CallStatus}:3`,
    callId: TWILIO_STATUS.CallSid,
    state,
    occurredAt: AT,
    direction: 'outbound',
    from: '+14158675310',
    to: '+18005551212',
    metadata: { twilio: fields },
  })
  expect(parseEvent(event, NOW)).toMatchObject({ state })
})

test('Twilio: what is about no call makes no event, and a call without an id is refused', () => {
  const recording = { AccountSid: 'AC1', CallSid: 'CA1', RecordingSid: 'RE1', RecordingStatus: 'completed' }
  expect(twilio.eventsOf(formCallback(recording), NOW)).toEqual([])
  expect(() => twilio.eventsOf(formCallback({ CallStatus: 'ringing' }), NOW)).toThrow('CallSid is missing')
})

test('Twilio: a request for instructions has no time; it happened when it came', () => {
  const {
    Timestamp: _,
    SequenceNumber: __,
    ...fields
  } = { ...TWILIO_STATUS, CallStatus: 'ringing', Direction: 'inbound' }
  expect(twilio.eventsOf(formCallback({ ...fields, From: 'client:tommy' }), NOW)).toMatchObject([
    { occurredAt: new Date(NOW).toISOString(), direction: 'inbound', from: 'client:tommy' },
  ])
})

const keys = generateKeyPairSync('ed25519')
const PUBLIC_KEY = Buffer.from(keys.publicKey.export({ format: 'jwk' }).x as string, 'base64url').toString('base64')
function signed(callback: Callback, atMs = NOW): Callback {
  const timestamp = String(Math.floor(atMs / 1000))
  const signature = sign(null, Buffer.concat([Buffer.from(`${timestamp}|`), callback.body]), keys.privateKey)
  const headers = { 'telnyx-timestamp': timestamp, 'telnyx-signature-ed25519': signature.toString('base64') }
  return { ...callback, headers }
}

test('Telnyx: a signature by its key over time and body is right for five minutes, and no other is', () => {
  const right = signed(jsonCallback(TELNYX_HANGUP))
  expect(telnyx.secretProblem(PUBLIC_KEY)).toBeUndefined()
  expect(telnyx.signatureProblem(right, PUBLIC_KEY, NOW)).toBeUndefined()
  expect(telnyx.signatureProblem(right, PUBLIC_KEY, NOW + 300_000)).toBeUndefined()
  expect(telnyx.signatureProblem(right, PUBLIC_KEY, NOW + 302_000)).toContain('300 seconds')
  expect(telnyx.signatureProblem(right, PUBLIC_KEY, NOW - 302_000)).toContain('300 seconds')
  const other = Buffer.alloc(32, 7).toString('base64')
  for (const wrong of [
    { ...right, body: Buffer.from(right.body.toString().replace('call_rejected', 'user_busy')) },
    { ...right, headers: { ...right.headers, 'telnyx-timestamp': String(NOW / 1000 + 1) } },
    { ...right, headers: { ...right.headers, 'telnyx-signature-ed25519': 'AAAA' } },
    { ...right, headers: {} },
  ]) {
    expect(telnyx.signatureProblem(wrong, PUBLIC_KEY, NOW)).toMatch(/telnyx-signature-ed25519/)
  }
  expect(telnyx.signatureProblem(right, other, NOW)).toMatch(/telnyx-signature-ed25519/)
  expect(telnyx.secretProblem('KEY0123')).toContain('public key')
})

test.each([
  ['call.initiated', undefined, 'INITIATED'],
  ['call.answered', undefined, 'ANSWERED'],
  ['call.hangup', 'normal_clearing', 'COMPLETED'],
  ['call.hangup', 'time_limit', 'COMPLETED'],
  ['call.hangup', 'originator_cancel', 'CANCELED'],
  ['call.hangup', 'user_busy', 'BUSY'],
  ['call.hangup', 'no_answer', 'NO_ANSWER'],
  ['call.hangup', 'timeout', 'NO_ANSWER'],
  ['call.hangup', 'call_rejected', 'FAILED'],
  ['call.hangup', 'not_found', 'FAILED'],
  ['call.hangup', 'unspecified', 'FAILED'],
])('Telnyx: %s %s is %s, by the id that a repetition has as well', (event_type, hangup_cause, state) => {
  const { data } = TELNYX_HANGUP
  const payload = { ...data.payload, hangup_cause, direction: 'incoming' }
  const body = { data: { ...data, event_type, occurred_at: '2026-01-31T11:59:00.000000Z', payload } }
  const [event] = telnyx.eventsOf(jsonCallback({ ...body, meta: { attempt: 1 } }), NOW)
  expect(event).toMatchObject({
    eventId: `telnyx:${data.id}`,
    callId: data.payload.call_leg_id,
    state,
    occurredAt: AT,
    direction: 'inbound',
    from: '+35319605860',
    metadata: { telnyx: { event_type, call_session_id: data.payload.call_session_id } },
  })
  expect(telnyx.eventsOf(jsonCallback({ ...body, meta: { attempt: 2 } }), NOW)).toEqual([event])
  expect(parseEvent(event, NOW)).toMatchObject({ state })
})

test('Telnyx: other webhooks make no event, and TeXML comes as a form', () => {
  const { data } = TELNYX_HANGUP
  expect(telnyx.eventsOf(jsonCallback({ data: { ...data, event_type: 'call.dtmf.received' } }), NOW)).toEqual([])
  expect(telnyx.eventsOf(formCallback(TELNYX_TEXML_ANSWERED), NOW)).toMatchObject([
    { state: 'ANSWERED', callId: TELNYX_TEXML_ANSWERED.CallSid, occurredAt: '2024-01-15T10:30:00.000Z' },
  ])
  expect(telnyx.eventsOf(formCallback(TELNYX_TEXML_COMPLETED), NOW)).toMatchObject([
    { state: 'COMPLETED', occurredAt: '2021-04-28T21:51:18.731Z' },
  ])
})

test('a record of Asterisk has the events of its call, and the original once', () => {
  expect(cdrEvents(ASTERISK_CDR)).toMatchObject([
    {
      eventId: 'sip-cdr:1769860800.1:INITIATED:1769860800000',
      state: 'INITIATED',
      occurredAt: '2026-01-31T12:00:00.000Z',
    },
    {
      eventId: 'sip-cdr:1769860800.1:ANSWERED:1769860809000',
      state: 'ANSWERED',
      occurredAt: '2026-01-31T12:00:09.000Z',
      from: '+49301234',
    },
    {
      eventId: 'sip-cdr:1769860800.1:COMPLETED:1769860869000',
      callId: '1769860800.1',
      occurredAt: '2026-01-31T12:01:09.000Z',
      to: '200',
      metadata: { 'sip-cdr': ASTERISK_CDR },
    },
  ])
  const noAnswer = { ...ASTERISK_CDR, answer: '', disposition: 'NO ANSWER' }
  expect(cdrEvents(noAnswer).map(({ state }) => state)).toEqual(['INITIATED', 'NO_ANSWER'])
})

test('a record of FreeSWITCH is read by its variables, alone or as a field of a form', () => {
  const expected = [
    { state: 'INITIATED', occurredAt: '2026-01-31T12:00:00.123Z', direction: 'inbound' },
    { state: 'RINGING', occurredAt: '2026-01-31T12:00:02.000Z' },
    { state: 'CANCELED', occurredAt: '2026-01-31T12:00:10.500Z', from: 'sip:1160@192.168.50.229' },
  ]
  expect(cdrEvents(FREESWITCH_CDR)).toMatchObject(expected)
  expect(cdrEvents({ cdr: JSON.stringify(FREESWITCH_CDR) })).toMatchObject(expected)
})

test.each([
  [{ sip_code: 486 }, 'BUSY'],
  [{ sip_code: '487' }, 'CANCELED'],
  [{ sip_code: 480 }, 'NO_ANSWER'],
  [{ sip_code: 503 }, 'FAILED'],
  [{ disposition: 'congestion' }, 'FAILED'],
  [{ disposition: 'CANCEL', sip_code: 200 }, 'CANCELED'],
  [{ answer: 1769860805, sip_code: 486 }, 'COMPLETED'],
])('a plain record with %j ended as %s', (given, state) => {
  const cdr = {
    call_id: 'a84b4c76e66710@pc33.example.com',
    from: 'sip:alice@a',
    to: 'sip:bob@b',
    end: 1769860810.25,
    ...given,
  }
  expect(cdrEvents(cdr).at(-1)).toMatchObject({ state, occurredAt: '2026-01-31T12:00:10.250Z' })
})

test('everything that is wrong with a record is said at once', () => {
  expect(() => cdrEvents({ start: 'noon' })).toThrow(
    /start is "noon".*call_id is missing.*end is missing.*disposition is missing/,
  )
})

test('times are read as providers write them, and nothing else is a time', () => {
  for (const given of [
    '1769860800',
    '1769860800.0',
    '1769860800000',
    '1769860800000000',
    '2026-01-31 12:00:00',
    '2026-01-31T13:00:00+0100',
    'Sat, 31 Jan 2026 12:00:00 GMT',
  ])
    expect(parseProviderTime(given), given).toBe(NOW)
  for (const given of ['', '0', '12', 'noon', '2026-13-01 00:00:00', 'Sat Jan 31 2026', '31/01/2026'])
    expect(parseProviderTime(given), given).toBeUndefined()
})

test('whatever the fields are, the original fits into metadata and can be stored', () => {
  const text = fc.oneof(fc.string({ maxLength: 3_000, unit: 'binary' }), fc.constantFrom('x\0y', 'x\ud800y', '\\u0000'))
  const value = fc.oneof(
    text,
    fc.array(text, { maxLength: 3 }),
    fc.dictionary(text, text, { maxKeys: 3 }),
    fc.integer(),
  )
  const fields = fc.dictionary(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), value, { maxKeys: 40 })
  fc.assert(
    fc.property(fields, (given) => {
      const metadata = original('twilio', given as Fields)
      expect(Buffer.byteLength(JSON.stringify(metadata))).toBeLessThanOrEqual(EVENT_BOUNDS.metadataMaxBytes)
      const event = { eventId: 'e', callId: 'c', state: 'RINGING', occurredAt: AT, metadata }
      expect(parseEvent(event, NOW).callId).toBe('c')
    }),
    { numRuns: 300 },
  )
})

test('a form of more fields than any provider sends is refused before it is sorted', () => {
  expect(() => parseForm(Buffer.from('a=1&'.repeat(300_000)))).toThrow('more than 1000 fields')
})
