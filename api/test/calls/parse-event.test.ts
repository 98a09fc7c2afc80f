import { CALL_STATES, EVENT_BOUNDS, LABEL_BOUNDS } from '@hopwhistle/contract/calls.ts'
import fc from 'fast-check'
import { Compile } from 'typebox/compile'
import { expect, test } from 'vitest'
import { CallEventSchema } from '../../src/calls/event-schema.ts'
import { parseEvent } from '../../src/calls/parse-event.ts'
import { parseRfc3339 } from '../../src/calls/parse-rfc3339.ts'
import type { Problem } from '../../src/errors/problem.ts'

const NOW = Date.parse('2026-01-31T12:00:00Z')
const good = { eventId: 'e1', callId: 'c1', state: 'RINGING', occurredAt: '2026-01-31T11:59:59.500+00:00' }

function refusal(body: unknown): Problem {
  try {
    parseEvent(body, NOW)
  } catch (error) {
    return error as Problem
  }
  throw new Error(`was not refused: ${JSON.stringify(body)}`)
}

test('an event with everything and one with the least are taken as they are', () => {
  expect(parseEvent(good, NOW)).toEqual({
    ...{ eventId: 'e1', callId: 'c1', state: 'RINGING', occurredAt: NOW - 500 },
    ...{ direction: undefined, from: undefined, to: undefined, metadata: undefined },
  })
  const full = { ...good, direction: 'inbound', from: '+14155550100', to: 'sip:a@b', metadata: { a: [1, { b: null }] } }
  expect(parseEvent(full, NOW)).toMatchObject({
    direction: 'inbound',
    from: '+14155550100',
    metadata: '{"a":[1,{"b":null}]}',
  })
})

test('labels are taken as they are; what is none is 400, and what is too much 422', () => {
  const labels = { campaign: 'spring', agent: 'Zoë' }
  expect(parseEvent({ ...good, labels }, NOW).labels).toEqual(labels)
  for (const none of [{}, null, { campaign: null }])
    expect(parseEvent({ ...good, labels: none }, NOW)).not.toHaveProperty('labels')
  expect(parseEvent({ ...good, labels: { ...labels, source: null } }, NOW).labels).toEqual(labels)
  for (const [given, status, field] of [
    ['spring', 400, 'labels'],
    [[], 400, 'labels'],
    [{ campaign: 7 }, 400, 'labels.campaign'],
    [{ campaign: '' }, 400, 'labels.campaign'],
    [{ campaign: 'a\u0000' }, 400, 'labels.campaign'],
    [{ campaign: 'x'.repeat(LABEL_BOUNDS.valueMaxLength + 1) }, 422, 'labels.campaign'],
    [Object.fromEntries(Array.from({ length: LABEL_BOUNDS.max + 1 }, (_, i) => [`l${i}`, 'x'])), 422, 'labels'],
  ] as const) {
    const problem = refusal({ ...good, labels: given })
    expect([problem.status, problem.errors?.[0]?.field], JSON.stringify(given)).toEqual([status, field])
  }
  const long = { campaign: 'x'.repeat(LABEL_BOUNDS.valueMaxLength) }
  expect(parseEvent({ ...good, labels: long }, NOW).labels).toEqual(long)
})

test('null is as good as nothing, where something may be left out', () => {
  const nothing = { direction: null, from: null, to: null, corrects: null, metadata: null }
  expect(parseEvent({ ...good, ...nothing }, NOW)).toEqual(parseEvent(good, NOW))
})

test.each(['sip:alice@example.com;transport=tcp', 'client:tommy', 'anonymous', 'Restricted', `sip:${'a'.repeat(251)}`])(
  'who calls may be %s',
  (from) => {
    expect(parseEvent({ ...good, from }, NOW).from).toBe(from)
  },
)

test('an unknown state is named, with those there are', () => {
  const problem = refusal({ ...good, state: 'RANG' })
  expect(problem).toMatchObject({ code: 'unknown-state', status: 400 })
  expect(problem.message).toBe(`state is "RANG"; it may be ${CALL_STATES.join(', ')}`)
  expect(problem.errors).toMatchObject([{ field: 'state' }])
})

test('everything that is wrong is reported at once, field by field, with what it may be', () => {
  const problem = refusal({ state: 'RANG', occurredAt: 'yesterday', direction: 'up', from: '', stray: 1, metadata: [] })
  expect(problem).toMatchObject({ code: 'invalid-request', status: 400 })
  expect(Object.fromEntries(problem.errors?.map((e) => [e.field, e.message]) ?? [])).toEqual({
    stray: 'is not a field of a call event',
    eventId: 'is missing',
    callId: 'is missing',
    from: 'must be text of 1 to 255 characters; it is empty',
    metadata: 'must be an object; it is an array',
    direction: 'must be inbound or outbound; it is "up"',
    occurredAt: 'must be an RFC 3339 time with an offset, like 2026-01-31T12:00:00.000Z; it is "yesterday"',
    state: `is "RANG"; it may be ${CALL_STATES.join(', ')}`,
  })
})

test.each([
  ['NUL in an id', { eventId: 'a\u0000b' }, 'eventId', /U\+0000/],
  ['a line break in a call id', { callId: 'a\nb' }, 'callId', /character 2 is U\+000A/],
  ['half a surrogate pair', { callId: 'a\ud800' }, 'callId', /surrogate/],
  ['an id that is too long', { eventId: 'x'.repeat(256) }, 'eventId', /1 to 255 characters; it is text of 256/],
  ['a number as an id', { callId: 7 }, 'callId', /it is 7/],
  ['NUL in metadata', { metadata: { a: ['\u0000'] } }, 'metadata', /U\+0000/],
  ['NUL in a key of metadata', { metadata: { 'a\u0000': 1 } }, 'metadata', /U\+0000/],
  ['half a surrogate pair in metadata', { metadata: { a: '\udc00' } }, 'metadata', /surrogate/],
  ['a number beyond doubles in metadata', { metadata: { a: JSON.parse('1e999') } }, 'metadata', /1\.8e308/],
  [
    'metadata that is nested more deeply than the stack goes',
    { metadata: JSON.parse(`${'{"a":'.repeat(150_000)}1${'}'.repeat(150_000)}`) },
    'metadata',
    /nested too deeply/,
  ],
  [
    'metadata that is too large',
    { metadata: { a: 'ä'.repeat(2048) } },
    'metadata',
    /is 4104 bytes of JSON; it may be at most 4096/,
  ],
  ['null for a field that must be there', { callId: null }, 'callId', /^is missing$/],
])('%s is refused, by the name of the field', (_, fields, field, message) => {
  const { status, errors } = refusal({ ...good, ...fields })
  expect(status).toBe(400)
  expect(errors).toEqual([{ field, message: expect.stringMatching(message) }])
})

test.each([null, [], 'text', 7, undefined])('a body that is %j is refused', (body) => {
  expect(refusal(body)).toMatchObject({ code: 'malformed-body', status: 400 })
})

test('a time out of the window answers 422 and quotes the window', () => {
  const at = (ms: number) => ({ ...good, occurredAt: new Date(ms).toISOString() })
  const { occurredAtMaxAgeMs, occurredAtMaxAheadMs } = EVENT_BOUNDS
  for (const ms of [NOW - occurredAtMaxAgeMs, NOW + occurredAtMaxAheadMs])
    expect(parseEvent(at(ms), NOW).occurredAt).toBe(ms)
  for (const ms of [NOW - occurredAtMaxAgeMs - 1, NOW + occurredAtMaxAheadMs + 1]) {
    const problem = refusal(at(ms))
    expect(problem).toMatchObject({ code: 'time-out-of-range', status: 422 })
    expect(problem.message).toMatch(/^occurredAt is .*; it must be from 2025-11-02T.* to 2026-01-31T12:05:00\.000Z/)
  }
})

test.each([
  ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000Z'],
  ['2026-01-31T12:00:00.123456789+02:00', '2026-01-31T10:00:00.123Z'],
  ['2024-02-29T00:00:00-00:30', '2024-02-29T00:30:00.000Z'],
  ['2026-01-31t12:00:00.5z', '2026-01-31T12:00:00.500Z'],
])('%s is a time', (given, expected) => {
  expect(new Date(parseRfc3339(given) as number).toISOString()).toBe(expected)
})

test.each([
  '2026-02-30T00:00:00Z',
  '2025-02-29T00:00:00Z',
  '2026-04-31T00:00:00Z',
  '2026-01-31T24:00:00Z',
  '2026-01-31T12:00:60Z',
  '2026-01-31T12:00:00',
  '2026-01-31 12:00:00Z',
  '2026-01-31',
  '2026-01-31T12:00:00+24:00',
  '1769860800000',
])('%s is not a time', (given) => {
  expect(parseRfc3339(given)).toBeUndefined()
})

test('what is taken is what the documented schema allows', () => {
  const schema = Compile(CallEventSchema)
  const odd = fc.constantFrom(undefined, null, '', 'x', 0, true, [], {}, 'x'.repeat(255), 'x'.repeat(256))
  const body = fc.record(
    {
      eventId: fc.oneof(fc.constant('e1'), odd),
      callId: fc.oneof(fc.constant('c1'), odd),
      state: fc.oneof(fc.constantFrom(...CALL_STATES), odd),
      occurredAt: fc.oneof(fc.constant(good.occurredAt), odd),
      direction: fc.oneof(fc.constant('inbound'), odd),
      from: fc.oneof(fc.constant('+1'), odd),
      to: fc.oneof(fc.constant('+1'), odd),
      metadata: fc.oneof(fc.constant({ a: 1 }), odd),
      stray: odd,
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(body, (given) => {
      // As JSON has it: what is undefined is not there.
      const sent = JSON.parse(JSON.stringify(given))
      let taken = true
      try {
        parseEvent(sent, NOW)
      } catch {
        taken = false
      }
      const allowed = schema.Check(sent)
      // Formats are for people: the schema's own check of a time is not asked.
      expect(taken).toBe(allowed && sent.occurredAt === good.occurredAt)
    }),
    { numRuns: 2_000 },
  )
})

test('characters are counted as people count them: an emoji is one', () => {
  const event = { eventId: '📞'.repeat(255), callId: 'c', state: 'RINGING', occurredAt: new Date().toISOString() }
  expect(parseEvent(event, Date.now()).eventId).toBe(event.eventId)
  expect(() => parseEvent({ ...event, eventId: '📞'.repeat(256) }, Date.now())).toThrow('1 to 255 characters')
})

test('metadata is bounded as it is stored: numbers with an exponent are written out', () => {
  const event = { eventId: 'e', callId: 'c', state: 'RINGING', occurredAt: new Date().toISOString() }
  const parse = (metadata: object) => parseEvent({ ...event, metadata }, Date.now())
  expect(parse({ a: Array(20).fill(1e308), b: '1e308 '.repeat(300) }).metadata).toBeDefined()
  expect(() => parse({ a: Array(30).fill(1e308) })).toThrow(/^metadata is \d+ bytes as it is stored, .* at most 8192$/)
  expect(() => parse({ a: Array(30).fill(-1e-300) })).toThrow('as it is stored')
})
