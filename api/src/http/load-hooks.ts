import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { createShares } from '../access/shares.ts'
import { MemoryFull, OverShare, RequestIncomplete, RequestTimeout, TooManyRequests } from '../errors/catalogue.ts'
import type { Problem } from '../errors/problem.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { createRecentMax } from '../telemetry/recent.ts'
import { createTicker } from '../timing/ticker.ts'
import { createArrivalList } from './arrival-list.ts'
import { sendProblem } from './problem-handler.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Its place among the requests in flight. */
    open: OpenRequest
    /** To be called when the client has read some more of an answer that is long: it is not slow, and has as long again. */
    answerMoved(): void
  }
}

export type LoadLimits = {
  readonly requestsInFlight: number
  readonly requestTimeoutMs: number
  readonly bodyBytes: number
  /** Of all bodies together. */
  readonly bodiesBytes: number
}
export type RequestsInFlight = {
  count(): number
  /** How long the oldest of them that does not wait for its client has been waiting for its answer, ms. */
  oldestMs(): number
  /** The longest body taken lately, bytes. */
  longestBodyBytes(): number
  /** Counts a request, and its body, as one of a tenant's until it is answered. @returns why the tenant may not have it */
  take(request: FastifyRequest, reply: FastifyReply, tenantId: string): Problem | undefined
  /** To be called when all of a body is here, packed or not. */
  bodyArrived(request: FastifyRequest): void
  /** To be called when it is known how long a body is: what was taken beyond that is free again. */
  bodyUnpacked(request: FastifyRequest, bytes: number): void
}

/**
 * arriving ──whole body──▶ served ──answer handed on──▶ being read ──▶ closed
 *
 * arriving    as long as the timeout; then 408
 * served      as long again; then 503. Only this time counts as our latency
 * being read  as long again; then the connection is cut
 *
 * A request that is arriving or being read for more than a second gives up its place when the instance is full. An answer that is
 * streamed begins to be read again with each part of it.
 */
export type OpenRequest = {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  startedAt: number
  dueAt: number
  /** 0 until then. */
  answeredAt: number
  isBeingRead: boolean
  /** What it holds of the memory for bodies. */
  bodyBytes: number
  before: OpenRequest | undefined
  after: OpenRequest | undefined
}

/** How often requests are looked at for the timeout: it is exact to a twentieth. */
const LOOKS_PER_TIMEOUT = 20
/** How long a client may take to send or to read before that matters. */
const PROMPT_MS = 1_000

/**
 * Counts what is being served, refuses what is more than the limit at once, ends what takes too long, and measures every
 * answer by route. A client that is slow, or gone, costs neither a place that another needs nor a promise of ours: its
 * time is not counted as latency, and its end is 408.
 *
 * Routes that declare no scope (health, metrics, docs) are never refused: an instance at its limit must still say so.
 *
 * One timer looks after all requests, oldest first. Fastify's own `handlerTimeout` makes a timer and an AbortController
 * for each, which was 9 % of the profile of taking an event.
 */
export function addLoadHooks(app: FastifyInstance, limits: LoadLimits, metrics: Metrics): RequestsInFlight {
  const { requestsInFlight, requestTimeoutMs } = limits
  // In the order of their deadlines.
  const open = createArrivalList<OpenRequest>()
  const longestBody = createRecentMax()
  const shares = createShares(requestsInFlight)
  const bodies = createShares(limits.bodiesBytes)

  app.decorateRequest('open', null as unknown as OpenRequest)
  app.decorateRequest('answerMoved', function () {
    const one = this.open
    // One that has ended is in no list, and must not come back into it.
    if (one.reply.raw.destroyed) return
    const now = performance.now()
    // How long it took to answer stays what it was.
    const servedMs = one.answeredAt - one.startedAt
    one.answeredAt = now
    one.startedAt = now - servedMs
    one.isBeingRead = false
    prolong(one, now)
  })
  app.addHook('onRequest', (request, reply, done) => {
    const now = performance.now()
    const one: OpenRequest = {
      request,
      reply,
      startedAt: now,
      dueAt: now + requestTimeoutMs,
      answeredAt: 0,
      isBeingRead: false,
      bodyBytes: 0,
      before: undefined,
      after: undefined,
    }
    request.open = one
    open.add(one)
    looking.wake()
    // `close` comes once for each request, also for one whose client has gone.
    reply.raw.on('close', () => open.remove(one))
    if (open.size() <= requestsInFlight || request.routeOptions.config.scope === undefined) return done()
    if (endOneThatWaits(now)) return done()
    metrics.rejected.inc({ reason: TooManyRequests.code })
    done(TooManyRequests(requestsInFlight))
  })
  app.addHook('onSend', (request, _reply, payload, done) => {
    request.open.answeredAt = performance.now()
    done(null, payload)
  })
  app.addHook('onResponse', (request, reply, done) => {
    const { method } = request
    const route = request.routeOptions.url ?? 'none'
    metrics.httpRequests.inc({ method, route, status: reply.statusCode })
    const { startedAt, answeredAt } = request.open
    if (reply.statusCode !== RequestIncomplete.status)
      metrics.httpDuration.observe({ method, route }, (answeredAt - startedAt) / 1000)
    done()
  })

  /** Gives a request as long again. */
  function prolong(one: OpenRequest, now: number): void {
    open.remove(one)
    one.dueAt = now + requestTimeoutMs
    open.add(one)
  }

  function endIncomplete({ request, reply }: OpenRequest): void {
    reply.header('connection', 'close')
    sendProblem(request, reply, RequestIncomplete(requestTimeoutMs))
  }

  /** Frees a place that is kept by nothing but a client's slowness. */
  function endOneThatWaits(now: number): boolean {
    for (let one = open.first(); one !== undefined && now - one.startedAt > PROMPT_MS; one = one.after) {
      if (!waitsForClient(one)) continue
      open.remove(one)
      if (isAnswered(one)) one.reply.raw.destroy()
      else endIncomplete(one)
      return true
    }
    return false
  }

  function endLate(one: OpenRequest, now: number): void {
    const { request, reply } = one
    if (one.isBeingRead) {
      reply.raw.destroy()
      return
    }
    if (isAnswered(one)) {
      one.isBeingRead = true
      prolong(one, now)
      return
    }
    if (request.raw.complete === false) {
      endIncomplete(one)
      return
    }
    metrics.rejected.inc({ reason: RequestTimeout.code })
    sendProblem(request, reply, RequestTimeout(requestTimeoutMs))
  }

  const looking = createTicker(requestTimeoutMs / LOOKS_PER_TIMEOUT, () => {
    const now = performance.now()
    for (let one = open.first(); one !== undefined && one.dueAt <= now; ) {
      const late = one
      one = late.after
      endLate(late, now)
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
      let oldest = open.first()
      while (oldest !== undefined && waitsForClient(oldest)) oldest = oldest.after
      return oldest === undefined ? 0 : performance.now() - oldest.startedAt
    },
    longestBodyBytes: longestBody.read,
    bodyArrived: (request) => {
      const now = performance.now()
      if (now - request.open.startedAt > PROMPT_MS) prolong(request.open, now)
      request.open.startedAt = now
    },
    bodyUnpacked: ({ open, principal }, bytes) => {
      longestBody.add(bytes)
      if (bytes >= open.bodyBytes) return
      bodies.give(principal.tenantId, open.bodyBytes - bytes)
      open.bodyBytes = bytes
    },
    take: (request, reply, tenantId) => {
      // A client that has gone since holds nothing, and would never give it back.
      if (reply.raw.destroyed) return undefined
      if (shares.take(tenantId, 1) !== 'taken') return OverShare('requests')
      const bytes = bodyBytesOf(request, limits.bodyBytes)
      const taken = bytes === 0 ? 'taken' : bodies.take(tenantId, bytes)
      if (taken !== 'taken') {
        shares.give(tenantId, 1)
        return taken === 'full' ? MemoryFull() : OverShare('bytes of request bodies')
      }
      const { open } = request
      open.bodyBytes = bytes
      reply.raw.on('close', () => {
        shares.give(tenantId, 1)
        if (open.bodyBytes > 0) bodies.give(tenantId, open.bodyBytes)
        open.bodyBytes = 0
      })
      return undefined
    },
  }
}

/**
 * As announced; the most that one may have when that is not known, until it is. One that is longer is refused as soon as it is
 * looked at. A packed one is there twice while it is unpacked.
 */
function bodyBytesOf({ headers }: FastifyRequest, most: number): number {
  const announced = headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) || 0 : most
  return Math.min(most, announced) + (headers['content-encoding'] === undefined ? 0 : most)
}

/** `reply.sent` is true of a stream only once all of it is written. */
const isAnswered = ({ reply }: OpenRequest) => reply.sent || reply.raw.headersSent
const waitsForClient = (one: OpenRequest) => isAnswered(one) || one.request.raw.complete === false
