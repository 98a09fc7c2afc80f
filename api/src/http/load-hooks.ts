import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { createShares } from '../access/shares.ts'
import { MemoryFull, OverShare, RequestTimeout, TooManyRequests } from '../errors/catalogue.ts'
import type { Problem } from '../errors/problem.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { createTicker } from '../timing/ticker.ts'
import { createArrivalList } from './arrival-list.ts'
import { sendProblem } from './problem-handler.ts'

export type LoadLimits = {
  readonly requestsInFlight: number
  readonly requestTimeoutMs: number
  readonly bodyBytes: number
  /** Of all bodies together. */
  readonly bodiesBytes: number
}
export type RequestsInFlight = {
  count(): number
  /** How long the oldest of them has been waiting for its answer, ms. */
  oldestMs(): number
  /** The longest body announced since this was last asked, bytes. */
  longestBodyBytes(): number
  /** Counts a request, and its body, as one of a tenant's until it is answered. @returns why the tenant may not have it */
  take(request: FastifyRequest, reply: FastifyReply, tenantId: string): Problem | undefined
}

type Open = {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly dueAt: number
  before: Open | undefined
  after: Open | undefined
}

/** How often requests are looked at for the timeout: it is exact to a twentieth. */
const LOOKS_PER_TIMEOUT = 20

/**
 * Counts what is being served, refuses what is more than the limit at once, answers what takes too long with 503, and
 * measures every answer by route.
 *
 * Routes that declare no scope (health, metrics, docs) are never refused: an instance at its limit must still say so.
 *
 * One timer looks after all requests, oldest first. Fastify's own `handlerTimeout` makes a timer and an AbortController
 * for each, which was 9 % of the profile of taking an event.
 */
export function addLoadHooks(app: FastifyInstance, limits: LoadLimits, metrics: Metrics): RequestsInFlight {
  const { requestsInFlight, requestTimeoutMs } = limits
  // In the order of their coming, and so of their deadlines.
  const open = createArrivalList<Open>()
  const shares = createShares(requestsInFlight)
  const bodies = createShares(limits.bodiesBytes)
  let longestBody = 0

  app.addHook('onRequest', (request, reply, done) => {
    const dueAt = performance.now() + requestTimeoutMs
    const one: Open = { request, reply, dueAt, before: undefined, after: undefined }
    open.add(one)
    looking.wake()
    const bodyBytes = Number(request.headers['content-length'] ?? 0)
    if (bodyBytes > longestBody) longestBody = bodyBytes
    // `close` comes once for each request, also for one whose client has gone.
    reply.raw.on('close', () => open.remove(one))
    if (open.size() <= requestsInFlight || request.routeOptions.config.scope === undefined) return done()
    metrics.rejected.inc({ reason: TooManyRequests.code })
    done(TooManyRequests(requestsInFlight))
  })
  app.addHook('onResponse', (request, reply, done) => {
    const { method } = request
    const route = request.routeOptions.url ?? 'none'
    metrics.httpRequests.inc({ method, route, status: reply.statusCode })
    metrics.httpDuration.observe({ method, route }, reply.elapsedTime / 1000)
    done()
  })

  const looking = createTicker(requestTimeoutMs / LOOKS_PER_TIMEOUT, () => {
    const now = performance.now()
    let one = open.first()
    while (one !== undefined && one.dueAt <= now) {
      const { request, reply, after } = one
      one = after
      if (reply.sent) continue
      metrics.rejected.inc({ reason: RequestTimeout.code })
      sendProblem(request, reply, RequestTimeout(requestTimeoutMs))
    }
    return open.size() > 0
  })
  app.addHook('onClose', (_app, done) => {
    looking.stop()
    done()
  })

  return {
    count: open.size,
    oldestMs: () => {
      const oldest = open.first()
      return oldest === undefined ? 0 : performance.now() - (oldest.dueAt - requestTimeoutMs)
    },
    longestBodyBytes: () => {
      const longest = longestBody
      longestBody = 0
      return longest
    },
    take: (request, reply, tenantId) => {
      // Whoever has gone since holds nothing, and would never give it back.
      if (reply.raw.destroyed) return undefined
      if (shares.take(tenantId, 1) !== 'taken') return OverShare('requests')
      const bytes = bodyBytesOf(request, limits.bodyBytes)
      const taken = bytes === 0 ? 'taken' : bodies.take(tenantId, bytes)
      if (taken !== 'taken') {
        shares.give(tenantId, 1)
        return taken === 'full' ? MemoryFull() : OverShare('bytes of request bodies')
      }
      reply.raw.on('close', () => {
        shares.give(tenantId, 1)
        if (bytes > 0) bodies.give(tenantId, bytes)
      })
      return undefined
    },
  }
}

/** As announced; the most that one may have when that is not known. One that is longer is refused as soon as it is looked at. */
function bodyBytesOf({ headers }: FastifyRequest, most: number): number {
  if (headers['transfer-encoding'] !== undefined) return most
  return Math.min(most, Number(headers['content-length'] ?? 0) || 0)
}
