import type { CallDirection, CallState } from '@hopwhistle/contract/calls.ts'
import {
  CALL_DIRECTIONS,
  CALL_STATE_RANK,
  CALL_STATES,
  EVENT_BOUNDS,
  TERMINAL_RANK,
} from '@hopwhistle/contract/calls.ts'
import { InvalidRequest, LabelsRefused, MalformedBody, TimeOutOfRange, UnknownState } from '../errors/catalogue.ts'
import { isLongerThan } from '../errors/is-longer-than.ts'
import type { FieldError } from '../errors/problem.ts'
import type { CallEvent } from './call-event.ts'
import { parseLabels } from './labels.ts'
import { parseRfc3339 } from './parse-rfc3339.ts'
import { mayBeLongWhenStored, storedBytes } from './stored-size.ts'
import { unstorableText, unstorableValue } from './unstorable.ts'

const FIELDS: ReadonlySet<string> = new Set([
  'eventId',
  'callId',
  'state',
  'occurredAt',
  'direction',
  'from',
  'to',
  'corrects',
  'labels',
  'metadata',
])
const STATES: ReadonlySet<unknown> = new Set(CALL_STATES)
/** Fields that are none, of which a refusal names no more, so that it is never much longer than what was sent. */
const STRAY_MAX = 10
const DIRECTIONS: ReadonlySet<unknown> = new Set(CALL_DIRECTIONS)

/**
 * Checks one posted event. Written by hand rather than by a schema, because for an invalid event the response lists
 * everything that is wrong with it at once, in words, and one that is right costs two microseconds.
 * `event-schema.ts` describes the same for the documentation; a test holds the two together.
 *
 * @param body parsed JSON
 * @throws {InvalidRequest} naming each field and what it may be
 * @throws {UnknownState} when that is all that is wrong
 * @throws {LabelsRefused} when nothing else is wrong, and it has too many labels, or one that is too long
 * @throws {TimeOutOfRange} when `occurredAt` is too old or too far ahead
 */
export function parseEvent(body: unknown, nowMs: number): CallEvent {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw MalformedBody(`not an object but ${kind(body)}`)
  const given = body as Record<string, unknown>
  const errors: FieldError[] = []
  for (const field in given) {
    if (FIELDS.has(field)) continue
    if (errors.length === STRAY_MAX) break
    errors.push({ field: shorten(field), message: 'is not a field of a call event' })
  }

  const { idMaxLength, phoneNumberMaxLength } = EVENT_BOUNDS
  const eventId = text(given, 'eventId', idMaxLength, true, errors) as string
  const callId = text(given, 'callId', idMaxLength, true, errors) as string
  const from = text(given, 'from', phoneNumberMaxLength, false, errors)
  const to = text(given, 'to', phoneNumberMaxLength, false, errors)
  const metadata = metadataText(given.metadata, errors)
  const { labels, refused } = parseLabels(given.labels, errors)

  const { state } = given
  // null is as good as nothing: many encoders write what they do not have so.
  const direction = given.direction ?? undefined
  const corrects = given.corrects ?? undefined
  if (state === undefined || state === null)
    errors.push({ field: 'state', message: `is missing; it may be ${CALL_STATES.join(', ')}` })
  else if (typeof state !== 'string') errors.push(mustBe('state', `one of ${CALL_STATES.join(', ')}`, state))
  if (direction !== undefined && !DIRECTIONS.has(direction)) {
    errors.push(mustBe('direction', CALL_DIRECTIONS.join(' or '), direction))
  }

  if (corrects !== undefined && typeof corrects !== 'boolean')
    errors.push(mustBe('corrects', 'true or false', corrects))
  else if (corrects === true && STATES.has(state) && CALL_STATE_RANK[state as CallState] < TERMINAL_RANK) {
    errors.push({ field: 'corrects', message: `is true, but ${state} is not a final state: only those are corrected` })
  }

  const { occurredAt } = given
  const occurredAtMs = typeof occurredAt === 'string' ? parseRfc3339(occurredAt) : undefined
  if (occurredAt === undefined || occurredAt === null) errors.push({ field: 'occurredAt', message: 'is missing' })
  else if (occurredAtMs === undefined) {
    errors.push(mustBe('occurredAt', 'an RFC 3339 time with an offset, like 2026-01-31T12:00:00.000Z', occurredAt))
  }

  if (typeof state === 'string' && !STATES.has(state)) {
    const unknown = UnknownState(shorten(state))
    if (errors.length === 0) throw unknown
    errors.push(...(unknown.errors ?? []))
  }
  if (errors.length > 0) throw InvalidRequest(errors)
  if (refused.length > 0) throw LabelsRefused(refused)
  requireInWindow(occurredAtMs as number, occurredAt as string, nowMs)
  return {
    eventId,
    callId,
    state: state as CallState,
    occurredAt: occurredAtMs as number,
    direction: direction as CallDirection | undefined,
    from,
    to,
    corrects: corrects === true ? true : undefined,
    metadata,
    ...(labels === undefined ? undefined : { labels }),
  }
}

function requireInWindow(occurredAtMs: number, given: string, nowMs: number): void {
  const oldest = nowMs - EVENT_BOUNDS.occurredAtMaxAgeMs
  const newest = nowMs + EVENT_BOUNDS.occurredAtMaxAheadMs
  if (occurredAtMs >= oldest && occurredAtMs <= newest) return
  const range = `from ${new Date(oldest).toISOString()} (90 days ago) to ${new Date(newest).toISOString()} (5 minutes ahead)`
  throw TimeOutOfRange('occurredAt', shorten(given), range)
}

function text(
  given: Readonly<Record<string, unknown>>,
  field: string,
  maxLength: number,
  required: boolean,
  errors: FieldError[],
): string | undefined {
  const value = given[field]
  if (value === undefined || value === null) {
    if (required) errors.push({ field, message: 'is missing' })
    return undefined
  }
  if (typeof value !== 'string' || value.length === 0 || isLongerThan(maxLength, value)) {
    errors.push(mustBe(field, `text of 1 to ${maxLength} characters`, value))
    return undefined
  }
  const why = unstorableText(value)
  if (why !== undefined) errors.push({ field, message: why })
  return value
}

function metadataText(value: unknown, errors: FieldError[]): string | undefined {
  if (value === undefined || value === null) return undefined
  const field = 'metadata'
  const { metadataMaxBytes, metadataStoredMaxBytes } = EVENT_BOUNDS
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    errors.push(mustBe(field, 'an object', value))
    return undefined
  }
  const json = toJson(value)
  if (json === undefined) {
    errors.push({ field, message: `is nested too deeply; it may be at most ${metadataMaxBytes} bytes of JSON` })
    return undefined
  }
  const bytes = Buffer.byteLength(json)
  if (bytes > metadataMaxBytes) {
    errors.push({ field, message: `is ${bytes} bytes of JSON; it may be at most ${metadataMaxBytes}` })
    return undefined
  }
  const stored = mayBeLongWhenStored(json) ? storedBytes(json) : 0
  if (stored > metadataStoredMaxBytes) {
    const message = `is ${stored} bytes as it is stored, with numbers written out (1e308 has 309 digits); it may be at most ${metadataStoredMaxBytes}`
    errors.push({ field, message })
    return undefined
  }
  const why = unstorableValue(value, json)
  if (why !== undefined) errors.push({ field, message: why })
  return json
}

/** @returns undefined when it is nested more deeply than the stack goes, which is far more than may be stored */
function toJson(value: object): string | undefined {
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function mustBe(field: string, expected: string, given: unknown): FieldError {
  return { field, message: `must be ${expected}; it is ${describe(given)}` }
}

function describe(value: unknown): string {
  if (typeof value === 'string') {
    return value.length > 100 ? `text of ${value.length} characters` : value === '' ? 'empty' : JSON.stringify(value)
  }
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : kind(value)
}

function kind(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (JSON.isRawJSON(value)) return 'a number'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function shorten(value: string): string {
  return value.length > 100 ? `${value.slice(0, 100)}…` : value
}
