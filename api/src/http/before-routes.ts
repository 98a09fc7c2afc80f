/**
 * What Node answers before there is a route, answered as every other error: bytes that are not HTTP, headers that are too
 * long, a request that never arrives, an expectation that cannot be met, a missing Host.
 */
import { type IncomingMessage, maxHeaderSize, type ServerOptions, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ConnectionError, FastifyInstance } from 'fastify'
import {
  BodyTooLarge,
  ExpectationFailed,
  HeadersTooLarge,
  MalformedRequest,
  MethodNotAllowed,
  RequestIncomplete,
} from '../errors/catalogue.ts'
import type { Problem } from '../errors/problem.ts'
import { isAnsweredEarly } from './problem-handler.ts'
import { endWithProblem } from './problem-on-connection.ts'

export type ArrivalLimits = { readonly bodyBytes: number; readonly requestTimeoutMs: number }

/** How often Node looks for requests that do not arrive: their timeout is exact to a tenth. */
const LOOKS_PER_TIMEOUT = 10

export function serverOptions({ requestTimeoutMs }: ArrivalLimits): ServerOptions {
  return {
    // A client that offers another upgrade on the way, as Java's client does with h2c, is answered without it.
    shouldUpgradeCallback: (request) => request.headers.upgrade?.toLowerCase() === 'websocket',
    // Node would answer with no body; `addBeforeRoutes` does it.
    requireHostHeader: false,
    headersTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.max(50, requestTimeoutMs / LOOKS_PER_TIMEOUT),
  }
}

/** Fastify's `clientErrorHandler`. */
export function onClientError(limits: ArrivalLimits): (error: ConnectionError, connection: Duplex) => void {
  return (error, connection) => {
    const problem = clientProblem(error, limits)
    if (problem === undefined || connection.destroyed || isAnsweredEarly(connection)) connection.destroy()
    else endWithProblem(connection, problem)
  }
}

/** @returns undefined when nobody is there to be told */
function clientProblem({ code, message }: ConnectionError, limits: ArrivalLimits): Problem | undefined {
  switch (code) {
    case 'ECONNRESET':
    case 'EPIPE':
      return undefined
    case 'HPE_HEADER_OVERFLOW':
      return HeadersTooLarge(maxHeaderSize)
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return BodyTooLarge(limits.bodyBytes)
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return RequestIncomplete(limits.requestTimeoutMs)
    default:
      return MalformedRequest(`the request is not HTTP: ${message.replace(/^Parse Error: /, '')}`)
  }
}

export function addBeforeRoutes(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const { headers, httpVersion } = request.raw
    done(
      headers.host === undefined && httpVersion === '1.1' ? MalformedRequest('the header host is missing') : undefined,
    )
  })
  app.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = response
    if (socket !== null) endWithProblem(socket, ExpectationFailed(request.headers.expect ?? ''))
  })
  // A proxy is what nobody needs here; unheard, Node would hang up without a word.
  app.server.on('connect', (_request: IncomingMessage, connection: Duplex) =>
    endWithProblem(connection, MethodNotAllowed('CONNECT', 'GET, HEAD, POST')),
  )
}
