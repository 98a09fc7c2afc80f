import { isUtf8 } from 'node:buffer'
import { hash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { type CallEventBody, EVENT_BOUNDS } from '@hopwhistle/contract/calls.ts'
import { InvalidRequest, MalformedBody } from '../errors/catalogue.ts'
import { isLongerThan } from '../errors/is-longer-than.ts'
import { parseJsonBody } from '../http/json-body.ts'

/** A callback as it came. */
export type Callback = {
  readonly headers: IncomingHttpHeaders
  /** The address that the provider called, as far as we know: several when that can be written in several ways. */
  readonly urls: readonly string[]
  readonly body: Buffer
  /** Its fields, when it is a form. */
  readonly form: Form | undefined
}

export type Form = readonly (readonly [name: string, value: string])[]

/** As it would be posted: what a provider does not say is null. */
export type ProviderEvent = { readonly [Field in keyof CallEventBody]: CallEventBody[Field] | null }

/** What we know of a provider: how it signs, and what its callbacks say of calls. */
export type Provider = {
  readonly name: 'twilio' | 'telnyx'
  readonly title: string
  /** Ends in `:callback`. */
  readonly route: string
  /** @returns why a secret cannot be one of this provider, or undefined when it can */
  secretProblem(secret: string): string | undefined
  /** @returns why a callback is not signed by who has the secret, or undefined when it is */
  signatureProblem(callback: Callback, secret: string, nowMs: number): string | undefined
  /**
   * The call events in a callback; none in one that is about something else than the state of a call. The same callback again has
   * the same event ids.
   *
   * @throws {MalformedBody | InvalidRequest}
   */
  eventsOf(callback: Pick<Callback, 'body' | 'form'>, nowMs: number): readonly ProviderEvent[]
}

/** Fields of an object, or of a form. */
export type Fields = Readonly<Record<string, unknown>>

/** No provider sends a tenth of this; more would take longer to sort than a request may. */
const FORM_FIELDS_MAX = 1_000

/**
 * Bytes that are not UTF-8, as they are or percent-encoded, are refused: decoding would replace them, and two ids would become one.
 *
 * @throws {MalformedBody} it is not UTF-8, or has too many fields
 */
export function parseForm(body: Buffer): Form {
  const text = body.toString('utf8')
  if (!isUtf8(body) || !encodesUtf8(text)) throw MalformedBody('not UTF-8')
  if (text.split('&', FORM_FIELDS_MAX + 1).length > FORM_FIELDS_MAX)
    throw MalformedBody(`a form of more than ${FORM_FIELDS_MAX} fields`)
  return [...new URLSearchParams(text)]
}

/** A % that encodes no byte stands for itself, as it does to `URLSearchParams`. */
function encodesUtf8(text: string): boolean {
  try {
    decodeURIComponent(text.replace(/%(?![0-9a-f]{2})/gi, '%25'))
    return true
  } catch {
    return false
  }
}

/** Of a field that is there twice, the last. */
export function fieldsOf({ body, form }: Pick<Callback, 'body' | 'form'>): Fields {
  return form === undefined ? jsonObject(body) : Object.fromEntries(form)
}

/** @throws {MalformedBody} */
export function jsonObject(body: Buffer): Fields {
  const found = objectIn(parseJsonBody(body))
  if (found === undefined) throw MalformedBody('not an object')
  return found
}

/** A value as an object, when it is one. */
export function objectIn(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it takes away
const CONTROL = /[\u0000-\u001f\u007f]/g

/** A text field, or undefined when it is not there, empty, or no text. Control characters are left out: nothing of ours may have any. */
export function textOf(fields: Fields, name: string): string | undefined {
  const value = fields[name]
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' ? value.replaceAll(CONTROL, '').trim() || undefined : undefined
}

/**
 * An id as it was sent, or undefined when it is not there or empty. Two ids must never become one, so nothing is taken away from it,
 * and of numbers only whole ones are ids: 1.10 and 1.1 are the same number, and may be two calls of Asterisk.
 */
export function idIn(fields: Fields, name: string): string | undefined {
  const value = fields[name]
  if (typeof value === 'string') return value || undefined
  const isNumber = typeof value === 'number' || JSON.isRawJSON(value)
  const digits = isNumber ? JSON.stringify(value) : ''
  return /^\d+$/.test(digits) ? digits : undefined
}

export const ID_NEEDED = 'is missing, or neither text nor a whole number'

/** @throws {InvalidRequest} when it is not there */
export function requiredId(fields: Fields, name: string): string {
  const id = idIn(fields, name)
  if (id === undefined) throw InvalidRequest([{ field: name, message: ID_NEEDED }])
  return id
}

/** An id of ours that follows from ids of theirs: the same from the same. One that would be too long is hashed. */
export function idFrom(provider: string, ...parts: readonly string[]): string {
  const id = [provider, ...parts].join(':')
  return isLongerThan(EVENT_BOUNDS.idMaxLength, id) ? `${provider}:${hash('sha256', id, 'hex')}` : id
}

const LEFT_OUT_NAMES = 8
const NAME_MAX = 32
/** A character may be written as an escape of six bytes. */
const NAME_MAX_BYTES = 6 * NAME_MAX + 3

/**
 * The original for an event's metadata. When it is larger than metadata may be, its largest fields are left out, as is
 * what cannot be stored, and some of them named.
 *
 * @returns `{ twilio: { … }, leftOut: […] }`
 */
export function original(provider: string, fields: Fields): Readonly<Record<string, unknown>> {
  const sized = Object.entries(fields)
    .map(([name, value], at) => {
      const entry = [clean(name), typeof value === 'string' ? clean(value) : value] as const
      const json = JSON.stringify(entry)
      return { at, entry, bytes: UNSTORABLE.test(json) ? Number.POSITIVE_INFINITY : Buffer.byteLength(json) }
    })
    .sort((a, b) => a.bytes - b.bytes)
  // What is around the fields: the name of the provider, and of fields that are left out.
  let room = EVENT_BOUNDS.metadataMaxBytes - 64 - LEFT_OUT_NAMES * NAME_MAX_BYTES
  const kept = sized.filter(({ bytes }) => {
    room -= bytes
    return room >= 0
  })
  const largest = sized.slice(kept.length).slice(-LEFT_OUT_NAMES)
  return {
    [provider]: Object.fromEntries(kept.sort((a, b) => a.at - b.at).map(({ entry }) => entry)),
    ...(largest.length === 0 ? {} : { leftOut: largest.map(({ entry: [name] }) => name.slice(0, NAME_MAX)) }),
  }
}

/** What jsonb cannot have, as JSON writes it: U+0000, and half of a surrogate pair. */
const UNSTORABLE = /\\u(?:0000|d[89a-f])/i
/** Without it. */
const clean = (text: string) => text.replaceAll('\0', '').toWellFormed()
