/**
 * Reads request bodies: JSON in UTF-8, plain or in gzip, and nothing that would change on the way in.
 *
 * - What is packed is unpacked up to the limit for bodies and no further, so that a small body cannot become a large one.
 * - Bytes that are not UTF-8 are refused. Decoding would replace them, and different texts would become one.
 * - A number that a double cannot hold stays as it was written: `JSON.rawJSON` of its text, which `JSON.stringify` writes
 *   again as it is. To other code it is an object, so only free data (metadata) should have any.
 * - `__proto__` is a key like any other: nothing of a body is ever copied into another object.
 */
import { isUtf8 } from 'node:buffer'
import { gunzipSync } from 'node:zlib'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { createPaced } from '../access/paced.ts'
import { BodyTooLarge, MalformedBody, UnsupportedMediaType } from '../errors/catalogue.ts'

declare global {
  /** Node has them; TypeScript's library does not yet. */
  interface JSON {
    rawJSON(text: string): unknown
    isRawJSON(value: unknown): boolean
  }
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route takes a body's bytes as they were signed, and forms as well; it reads them itself. */
    rawBody?: true
  }
}

/** The events of a larger body keep the event loop busy for longer than half a millisecond. */
const LARGE_BYTES = 8_192

export const FORM = 'application/x-www-form-urlencoded'
/** JSON by another name: application/cloudevents+json. */
const JSON_SUFFIX = /^application\/[\w!#$&^.-]+\+json(?:;|$)/i

export type BodyWatch = {
  /** All of a body is here, packed or not. */
  bodyArrived(request: FastifyRequest): void
  /** What a body has become, from here on. */
  bodyUnpacked(request: FastifyRequest, bytes: number): void
}

/** @param bodyBytes the longest body that is taken, unpacked */
export function addJsonBody(app: FastifyInstance, bodyBytes: number, watch: BodyWatch): void {
  const paced = createPaced()
  app.removeAllContentTypeParsers()
  for (const type of ['application/json', JSON_SUFFIX, FORM]) {
    app.addContentTypeParser<Buffer>(type, { parseAs: 'buffer' }, (request, body, done) => {
      watch.bodyArrived(request)
      const { rawBody } = request.routeOptions.config
      const attempt = (work: () => void) => {
        try {
          work()
        } catch (error) {
          done(error as Error)
        }
      }
      const inTurn = (work: () => void) => paced.run(request.principal.tenantId, () => attempt(work))
      const read = (plain: Buffer) => done(null, rawBody === true ? plain : parseJsonBody(plain))
      attempt(() => {
        if (type === FORM && rawBody !== true) throw UnsupportedMediaType()
        if (encodingOf(request) === 'gzip') {
          inTurn(() => {
            const plain = unpack(body, bodyBytes)
            watch.bodyUnpacked(request, plain.length)
            inTurn(() => read(plain))
          })
          return
        }
        watch.bodyUnpacked(request, body.length)
        if (body.length < LARGE_BYTES) read(body)
        else inTurn(() => read(body))
      })
    })
  }
}

const CHARSET = /;\s*charset\s*=\s*"?([^";\s]*)/i
const UTF8: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii'])

/** @throws {UnsupportedMediaType} when the headers announce another charset, compression, or another transfer coding */
function encodingOf({ headers }: FastifyRequest): 'identity' | 'gzip' {
  const charset = CHARSET.exec(headers['content-type'] ?? '')?.[1]
  if (charset !== undefined && !UTF8.has(charset.toLowerCase())) throw UnsupportedMediaType()
  const transfer = headers['transfer-encoding']
  if (transfer !== undefined && transfer.trim().toLowerCase() !== 'chunked') throw UnsupportedMediaType()
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  // RFC 9110: x-gzip is the same.
  if (encoding === 'gzip' || encoding === 'x-gzip') return 'gzip'
  if (encoding !== 'identity') throw UnsupportedMediaType()
  return 'identity'
}

/**
 * Stops as soon as it is too long: a gigabyte of zeros, which is a megabyte of gzip, takes as long as a body of the limit, some
 * milliseconds, and as much memory.
 *
 * @throws {BodyTooLarge | MalformedBody}
 */
function unpack(body: Buffer, bodyBytes: number): Buffer {
  try {
    return gunzipSync(body, { maxOutputLength: bodyBytes })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw BodyTooLarge(bodyBytes)
    throw MalformedBody('not gzip, although its Content-Encoding says so')
  }
}

const BYTE_ORDER_MARK = '\uFEFF'

/** @throws {MalformedBody} saying what is wrong with it */
export function parseJsonBody(body: Buffer): unknown {
  if (body.length === 0) throw MalformedBody('empty')
  if (!isUtf8(body)) throw MalformedBody('not UTF-8')
  const decoded = body.toString('utf8')
  const text = decoded.startsWith(BYTE_ORDER_MARK) ? decoded.slice(1) : decoded
  try {
    return MAY_BE_INEXACT.test(text) ? JSON.parse(text, exactNumbers) : JSON.parse(text)
  } catch {
    throw MalformedBody('not valid JSON')
  }
}

/** Finds every number of 16 digits or more, or with an exponent. Reading with a reviver takes ten times as long. */
const MAY_BE_INEXACT = /[:[,]\s*-?\d(?:[\d.]{15,}|[\d.]*[eE])/

/** A number that is too large, or too close to zero, for a double is left to the checks: it is not a finite number then. */
function exactNumbers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source
  if (typeof value !== 'number' || source === undefined || !Number.isFinite(value)) return value
  if (value === 0 && /[1-9]/.test(source.split(/[eE]/)[0] as string)) return Number.NaN
  return isExact(value, source) ? value : JSON.rawJSON(source)
}

/** Whether the double is the very number that was written. */
function isExact(value: number, source: string): boolean {
  const [written, read] = [decimal(source), decimal(String(value))]
  return written.digits === read.digits && written.exponent === read.exponent
}

/** A number as its significant digits and a power of ten: 1200 and 1.2e3 are both 12 and 2. */
function decimal(text: string): { readonly digits: string; readonly exponent: number } {
  const [mantissa = '', exponent = '0'] = text.replace(/^-/, '').toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  const all = (whole + fraction).replace(/^0+/, '')
  const digits = all.replace(/0+$/, '')
  if (digits === '') return { digits, exponent: 0 }
  return { digits, exponent: Number(exponent) - fraction.length + all.length - digits.length }
}
