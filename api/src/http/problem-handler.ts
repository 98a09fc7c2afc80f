import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import {
  BodyTooLarge,
  Internal,
  InvalidRequest,
  MalformedBody,
  RouteNotFound,
  UnsupportedMediaType,
} from '../errors/catalogue.ts'
import type { FieldError } from '../errors/problem.ts'
import { Problem, problemBody } from '../errors/problem.ts'
import { problemHeaders } from './problem-on-connection.ts'

export type HandlerLimits = { readonly bodyBytes: number }

/** The one place where an error becomes `application/problem+json`. */
export function addProblemHandler(app: FastifyInstance, limits: HandlerLimits): void {
  const sayRefused = createRefusalLog()
  app.setErrorHandler((error: unknown, request, reply) => {
    const known = asProblem(error, limits)
    if (known.status >= 500 && known.retryAfterSeconds === undefined)
      request.log.error({ err: error }, 'request failed')
    else if (known.status >= 500) sayRefused(request, known)
    return sendProblem(request, reply, known)
  })
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, RouteNotFound()))
}

const SAID_EVERY_MS = 1_000

/**
 * Logs the first refusal for each reason, and then one a second with how many there were since the last line: an
 * overloaded instance has better things to do than to write thousands of lines. The metrics count every one.
 */
function createRefusalLog(): (request: FastifyRequest, refusal: Problem) => void {
  const lastByCode = new Map<string, { readonly saidAt: number; since: number }>()
  return (request, refusal) => {
    const now = performance.now()
    const last = lastByCode.get(refusal.code)
    const refused = (last?.since ?? 0) + 1
    if (last !== undefined && now - last.saidAt < SAID_EVERY_MS) {
      last.since = refused
      return
    }
    lastByCode.set(refusal.code, { saidAt: now, since: 0 })
    request.log.warn({ err: refusal, refused }, 'request refused')
  }
}

/** Requests that were refused while some of them was still to come, by their connection. */
const refusedEarly = new WeakMap<Duplex, IncomingMessage>()

/** Whether the request that a connection waits for is answered already. A second answer would pass for that of the next one. */
export const isAnsweredEarly = (connection: Duplex): boolean => refusedEarly.get(connection)?.complete === false

export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: Problem): FastifyReply {
  if (request.raw.complete === false) refusedEarly.set(request.raw.socket, request.raw)
  return reply
    .code(error.status)
    .headers(problemHeaders(error))
    .header('cache-control', 'no-store')
    .type('application/problem+json')
    .send(JSON.stringify(problemBody(error, request.id)))
}

function asProblem(error: unknown, limits: HandlerLimits): Problem {
  if (error instanceof Problem) return error
  const { code, validation, validationContext } = error as Partial<FastifyError>
  if (validation !== undefined) return InvalidRequest(validation.map((v) => fieldError(v, validationContext)))
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return BodyTooLarge(limits.bodyBytes)
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return UnsupportedMediaType()
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return MalformedBody('empty')
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return MalformedBody('not valid JSON')
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return MalformedBody('not as long as its Content-Length says')
    default:
      break
  }
  const { statusCode } = error as { statusCode?: number }
  // A body that a JSON parser refuses arrives as a bare 400; anything else that nobody named is our fault.
  return statusCode === 400 ? MalformedBody('not valid JSON') : Internal()
}

type Validation = NonNullable<FastifyError['validation']>[number]

/** Names the field by its path and says what it may be, the way the schema does. */
function fieldError(v: Validation, context = 'body'): FieldError {
  const params = v.params as {
    missingProperty?: string
    additionalProperty?: string
    allowedValues?: readonly unknown[]
  }
  const missing = params.missingProperty
  const path = [...v.instancePath.split('/').slice(1), ...(missing === undefined ? [] : [missing])].join('.')
  const field = path === '' ? context : path
  if (missing !== undefined) return { field, message: 'is missing' }
  if (params.additionalProperty !== undefined) {
    return {
      field: path === '' ? params.additionalProperty : `${path}.${params.additionalProperty}`,
      message: 'is not a field of this request',
    }
  }
  if (params.allowedValues !== undefined) return { field, message: `may be ${params.allowedValues.join(', ')}` }
  return { field, message: v.message ?? 'is not valid' }
}
