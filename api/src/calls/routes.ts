import { EVENT_BOUNDS } from '@hopwhistle/contract/calls.ts'
import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { Rates } from '../access/rates.ts'
import { EventKeptAside, Internal, InvalidRequest, MalformedBody, TimeOutOfRange } from '../errors/catalogue.ts'
import { Problem, problemBody } from '../errors/problem.ts'
import { problems } from '../http/problem-schema.ts'
import type { Tokens } from '../postgres/tokens.ts'
import { parseWalPosition, type WalPosition } from '../postgres/wal-position.ts'
import { CallEventSchema, CallEventsSchema, EventResultsSchema, ReceiptSchema } from './event-schema.ts'
import type { Ingest } from './ingest.ts'
import type { KeepAside } from './keep-aside.ts'
import { parseEvent } from './parse-event.ts'

const walPosition = (text: string): WalPosition => parseWalPosition(text) ?? 0n

/** Bodies are checked by `parseEvent`; their schemas are documentation. */
const unchecked = () => () => true

export function callRoutes(deps: {
  readonly ingest: Ingest
  readonly tokens: Pick<Tokens, 'sealPosition'>
  /** Absent: events whose time is out of range are refused and forgotten. */
  readonly keepAside?: KeepAside | undefined
  readonly rates: Pick<Rates, 'charge'>
}): FastifyPluginAsync {
  const { ingest, tokens, keepAside, rates } = deps

  async function postEvent(request: FastifyRequest, reply: FastifyReply) {
    const event = await parseOrKeepAside(request)
    const receipt = await ingest.submit(request.principal.tenantId, event)
    const { outcome, callState } = receipt
    const position = tokens.sealPosition(walPosition(receipt.position))
    reply.code(outcome === 'duplicate' ? 200 : 201).header(HEADERS.position, position)
    return { eventId: event.eventId, callId: event.callId, outcome, callState, position }
  }

  /** Before the body is read: what cannot be taken is not worth parsing. */
  const requireRoom: onRequestHookHandler = (request, _reply, done) => done(ingest.refusal(request.principal.tenantId))
  /** For as many events as the body may have. */
  const reserveRoom: onRequestHookHandler = (request, reply, done) => {
    const events = mostEvents(Number(request.headers['content-length']))
    ingest.reserve(request.principal.tenantId, events).then(({ release }) => {
      // Whoever has gone since would never give it back.
      if (reply.raw.destroyed) release()
      else {
        reserved.set(request, release)
        reply.raw.on('close', () => releaseRoom(request))
      }
      done()
    }, done)
  }
  const reserved = new WeakMap<FastifyRequest, () => void>()
  function releaseRoom(request: FastifyRequest): void {
    reserved.get(request)?.()
    reserved.delete(request)
  }

  async function parseOrKeepAside({ body, principal }: FastifyRequest) {
    try {
      return parseEvent(body, Date.now())
    } catch (error) {
      if (keepAside === undefined || !TimeOutOfRange.is(error)) throw error
      await keepAside(principal.tenantId, [body])
      throw EventKeptAside(error)
    }
  }

  async function postEvents(request: FastifyRequest, reply: FastifyReply) {
    const events = eventsOf(request.body)
    // The first of them was counted with the request.
    rates.charge(request.principal, events.length - 1)
    releaseRoom(request)
    const settled = await Promise.all(events.map((body) => settle(request, body)))
    const results = keepAside === undefined ? settled : await keepThoseAside(request, events, settled)
    const positions = results.flatMap(({ position }) => (position === undefined ? [] : [walPosition(position)]))
    const latest = positions.reduce((last, position) => (position > last ? position : last), 0n)
    const position = positions.length === 0 ? undefined : tokens.sealPosition(latest)
    if (position !== undefined) reply.header(HEADERS.position, position)
    return { results: results.map(({ position: _, refusal: __, ...result }) => result), position }
  }

  /** Together, so that a batch of old events costs one statement. */
  async function keepThoseAside(request: FastifyRequest, events: readonly unknown[], settled: readonly Settled[]) {
    const aside = events.filter((_, i) => TimeOutOfRange.is(settled[i]?.refusal))
    if (aside.length === 0) return settled
    const failure = await keepAside?.(request.principal.tenantId, aside).then(
      () => undefined,
      (error: unknown) => (error instanceof Problem ? error : Internal()),
    )
    return settled.map((result) => {
      if (!TimeOutOfRange.is(result.refusal)) return result
      const refusal = failure ?? EventKeptAside(result.refusal)
      return { ...result, status: refusal.status, problem: problemBody(refusal) }
    })
  }

  /** What the event alone would have been answered. */
  async function settle(request: FastifyRequest, body: unknown): Promise<Settled> {
    const given = (body as { eventId?: unknown } | null)?.eventId
    const eventId = typeof given === 'string' ? given.slice(0, EVENT_BOUNDS.idMaxLength) : undefined
    try {
      const receipt = await ingest.submit(request.principal.tenantId, parseEvent(body, Date.now()))
      return { eventId, status: receipt.outcome === 'duplicate' ? 200 : 201, ...receipt }
    } catch (error) {
      if (!(error instanceof Problem)) request.log.error({ err: error }, 'an event of a batch failed')
      const known = error instanceof Problem ? error : Internal()
      return { eventId, status: known.status, problem: problemBody(known), position: undefined, refusal: known }
    }
  }

  return async (app) => {
    for (const [url, summary] of [
      [ROUTES.callEvent, 'Store a call event'],
      [ROUTES.demoCallEvent, 'Store a call event (the same, under the name that demos use)'],
    ] as const) {
      app.post(url, {
        config: { scope: 'events:write' },
        schema: {
          tags: ['calls'],
          summary,
          description: 'Answers once the event is committed. Safe to send again: the same event is stored once.',
          body: CallEventSchema,
          response: { 200: ReceiptSchema, 201: ReceiptSchema, ...problems(400, 409, 413, 415, 422) },
        },
        validatorCompiler: unchecked,
        onRequest: requireRoom,
        handler: postEvent,
      })
    }
    app.post(ROUTES.callEvents, {
      config: { scope: 'events:write' },
      schema: {
        tags: ['calls'],
        summary: 'Store up to 500 call events',
        description:
          'Each event has an outcome of its own: one that is refused does not keep the others from being stored.',
        body: CallEventsSchema,
        response: { 200: EventResultsSchema, ...problems(400, 413, 415) },
      },
      validatorCompiler: unchecked,
      onRequest: reserveRoom,
      handler: postEvents,
    })
  }
}

type Settled = {
  readonly eventId: string | undefined
  readonly status: number
  readonly position: string | undefined
  readonly problem?: ReturnType<typeof problemBody>
  readonly refusal?: Problem
}

/** Fields that are none, of which a refusal names no more. */
const STRAY_MAX = 10

/** How many events a body of this length may have; more when that is not known. */
function mostEvents(bytes: number): number {
  const { batchMax, leastBytes } = EVENT_BOUNDS
  return bytes >= 0 ? Math.min(batchMax, Math.max(1, Math.floor(bytes / leastBytes))) : batchMax
}

function eventsOf(body: unknown): readonly unknown[] {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw MalformedBody('not an object')
  const { events, ...others } = body as Record<string, unknown>
  const stray = Object.keys(others)
    .slice(0, STRAY_MAX)
    .map((field) => ({ field: field.slice(0, EVENT_BOUNDS.idMaxLength), message: 'is not a field of this request' }))
  if (stray.length > 0) throw InvalidRequest(stray)
  if (!Array.isArray(events) || events.length < 1 || events.length > EVENT_BOUNDS.batchMax) {
    const given = Array.isArray(events) ? `has ${events.length} events` : 'is not an array'
    throw InvalidRequest([{ field: 'events', message: `${given}; it must have 1 to ${EVENT_BOUNDS.batchMax}` }])
  }
  return events
}
