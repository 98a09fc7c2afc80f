import { EVENT_BOUNDS } from '@hopwhistle/contract/calls.ts'
import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { Rates } from '../access/rates.ts'
import type { TenantLabels } from '../access/tenant-labels.ts'
import {
  EventConflict,
  EventKeptAside,
  Internal,
  InvalidRequest,
  MalformedBody,
  TimeOutOfRange,
} from '../errors/catalogue.ts'
import { Problem, problemBody } from '../errors/problem.ts'
import { problems } from '../errors/problem-schema.ts'
import type { Tokens } from '../postgres/tokens.ts'
import { parseWalPosition, type WalPosition } from '../postgres/wal-position.ts'
import type { CallEvent } from './call-event.ts'
import { CallEventSchema, CallEventsSchema, EventResultsSchema, ReceiptSchema } from './event-schema.ts'
import type { Ingest } from './ingest.ts'
import type { KeepAside } from './keep-aside.ts'
import type { Labels } from './labels.ts'
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
  readonly labels: Pick<TenantLabels, 'require'>
}): FastifyPluginAsync {
  const { ingest, tokens, keepAside, rates, labels } = deps

  async function postEvent(request: FastifyRequest, reply: FastifyReply) {
    const event = await parseOrKeepAside(request)
    const { tenantId } = request.principal
    if (event.labels !== undefined) await requireDeclared(tenantId, event.labels)
    const receipt = await ingest.submit(tenantId, event)
    const { outcome, callState } = receipt
    const position = tokens.sealPosition(walPosition(receipt.position))
    reply.code(outcome === 'duplicate' ? 200 : 201).header(HEADERS.position, position)
    return { eventId: event.eventId, callId: event.callId, outcome, callState, position }
  }

  /** @throws {LabelsRefused} the tenant has not declared one of them @throws {DatabaseUnavailable} */
  const requireDeclared = (tenantId: string, given: Labels) =>
    labels.require(tenantId, Object.keys(given), (name) => `labels.${name}`)

  /** All of a batch before any is submitted, for a call's events are to be committed in the order given. */
  async function refuseUndeclared(tenantId: string, parsed: readonly Parsed[]): Promise<readonly Parsed[]> {
    if (parsed.every(({ event }) => event?.labels === undefined)) return parsed
    const checked = parsed.map(async (one): Promise<Parsed> => {
      try {
        if (one.event?.labels !== undefined) await requireDeclared(tenantId, one.event.labels)
        return one
      } catch (refusal) {
        return { eventId: one.eventId, refusal }
      }
    })
    return Promise.all(checked)
  }

  /** Before the body is read: what cannot be taken is not worth parsing. */
  const requireRoom: onRequestHookHandler = (request, _reply, done) => done(ingest.refusal(request.principal.tenantId))
  /** For as many events as the body may have. */
  const reserveRoom: onRequestHookHandler = (request, reply, done) => {
    const { headers } = request
    // How long a packed body becomes is not known yet.
    const events = mostEvents(
      headers['content-encoding'] === undefined ? Number(headers['content-length']) : Number.NaN,
    )
    ingest.reserve(request.principal.tenantId, events).then(({ release }) => {
      // A client that has gone since would never give it back.
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

  async function parseOrKeepAside(request: FastifyRequest): Promise<CallEvent> {
    const [one] = parseBody(request, (body) => [body]) as [Parsed]
    if (one.event !== undefined) return one.event
    if (one.aside === undefined) throw one.refusal
    const conflicts = await keepAside?.(request.principal.tenantId, [one.aside.body])
    throw conflicts?.has(0) ? EventConflict(one.eventId ?? '') : EventKeptAside(one.aside.why)
  }

  async function postEvents(request: FastifyRequest, reply: FastifyReply) {
    const all = parseBody(request, eventsOf)
    // The first of them was counted with the request.
    rates.charge(request.principal, all.length - 1)
    const parsed = await refuseUndeclared(request.principal.tenantId, all)
    releaseRoom(request)
    const settled = await Promise.all(parsed.map((one) => settle(request, one)))
    const results = await keepThoseAside(request, parsed, settled)
    const positions = results.flatMap(({ position }) => (position === undefined ? [] : [walPosition(position)]))
    const latest = positions.reduce((last, position) => (position > last ? position : last), 0n)
    const position = positions.length === 0 ? undefined : tokens.sealPosition(latest)
    if (position !== undefined) reply.header(HEADERS.position, position)
    return { results: results.map(({ position: _, ...result }) => result), position }
  }

  /**
   * Takes the body away from its request. Parsed, it has up to twenty times its length, as `[{},{},…]` does, and the budget for
   * bodies counts their length: what waits for its commit must not hold it.
   */
  function parseBody(request: FastifyRequest, eventsIn: (body: unknown) => readonly unknown[]): readonly Parsed[] {
    const { body } = request
    request.body = undefined
    return eventsIn(body).map(parseOne)
  }
  function parseOne(body: unknown): Parsed {
    const given = (body as { eventId?: unknown } | null)?.eventId
    const eventId = typeof given === 'string' ? given.slice(0, EVENT_BOUNDS.idMaxLength) : undefined
    try {
      return { eventId, event: parseEvent(body, Date.now()) }
    } catch (refusal) {
      if (keepAside === undefined || !TimeOutOfRange.is(refusal)) return { eventId, refusal }
      return { eventId, refusal, aside: { body: JSON.stringify(body), why: refusal } }
    }
  }

  /** Together, so that a batch of old events costs one statement. */
  async function keepThoseAside(request: FastifyRequest, parsed: readonly Parsed[], settled: readonly Settled[]) {
    const aside = parsed.flatMap((one) => one.aside?.body ?? [])
    if (aside.length === 0 || keepAside === undefined) return settled
    const kept = await keepAside(request.principal.tenantId, aside).catch((error: unknown) =>
      error instanceof Problem ? error : Internal(),
    )
    let place = 0
    return settled.map((result, i) => {
      const { aside, eventId = '' } = parsed[i] as Parsed
      if (aside === undefined) return result
      if (kept instanceof Problem) return { ...result, ...refused(kept) }
      return { ...result, ...refused(kept.has(place++) ? EventConflict(eventId) : EventKeptAside(aside.why)) }
    })
  }

  /** What the event alone would have been answered. */
  async function settle(request: FastifyRequest, { eventId, event, refusal }: Parsed): Promise<Settled> {
    try {
      if (event === undefined) throw refusal
      const receipt = await ingest.submit(request.principal.tenantId, event)
      return { eventId, status: receipt.outcome === 'duplicate' ? 200 : 201, ...receipt }
    } catch (error) {
      if (!(error instanceof Problem)) request.log.error({ err: error }, 'an event of a batch failed')
      return { eventId, ...refused(error instanceof Problem ? error : Internal()) }
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

/** One event of a body, without what it was parsed from. */
type Parsed = {
  readonly eventId: string | undefined
  readonly event?: CallEvent
  readonly refusal?: unknown
  /** As it was sent, and why it is kept aside. */
  readonly aside?: { readonly body: string; readonly why: Problem }
}

type Settled = {
  readonly eventId: string | undefined
  readonly status: number
  readonly position?: string
  readonly problem?: ReturnType<typeof problemBody>
}

const refused = (problem: Problem) => ({ status: problem.status, problem: problemBody(problem) })

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
