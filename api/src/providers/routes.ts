import type { CallState, EventOutcome } from '@hopwhistle/contract/calls.ts'
import { CALL_STATES, EVENT_OUTCOMES } from '@hopwhistle/contract/calls.ts'
import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import { Type } from 'typebox'
import type { Principal } from '../access/principal.ts'
import type { Rates } from '../access/rates.ts'
import { EventConflict, WrongSignature } from '../errors/catalogue.ts'
import type { Problem } from '../errors/problem.ts'
import { problems } from '../errors/problem-schema.ts'
import { FORM } from '../http/json-body.ts'
import type { Tokens } from '../postgres/tokens.ts'
import { parseWalPosition } from '../postgres/wal-position.ts'
import type { Callbacks, KnownCallback } from './callbacks.ts'
import { type Callback, type Form, fieldsOf, type Provider, type ProviderEvent, parseForm } from './provider.ts'
import { PROVIDERS } from './providers.ts'
import { cdrEvents } from './sip-cdr.ts'

/** The same that takes events from everybody else. */
export type TakesEvents<Event> = {
  /** @throws what an event by itself would be answered */
  parse(body: ProviderEvent): Event
  submit(tenantId: string, event: Event): Promise<Receipt>
  /** Why it would not take an event of a tenant now, if it would not. */
  refusal(tenantId: string): Problem | undefined
}

export type ProviderDependencies<Event> = {
  readonly callbacks: Callbacks
  readonly events: TakesEvents<Event>
  readonly rates: Pick<Rates, 'charge'>
  readonly tokens: Pick<Tokens, 'sealPosition'>
  /** Where providers reach the API; absent: by https and the header Host. */
  readonly publicUrl?: string | undefined
}
type Receipt = { readonly outcome: EventOutcome; readonly callState: CallState; readonly position: string }

const TakenSchema = Type.Object({
  events: Type.Array(
    Type.Object({
      eventId: Type.String(),
      callId: Type.String(),
      outcome: Type.Enum([...EVENT_OUTCOMES]),
      callState: Type.Optional(Type.Enum([...CALL_STATES])),
    }),
    { description: 'what became of each event in it' },
  ),
  position: Type.Optional(Type.String({ description: 'as of a call event' })),
})
const NothingSchema = Type.Null({ description: 'it says nothing of the state of a call' })

const time = Type.Union([Type.String(), Type.Number()], {
  description: 'RFC 3339, or 2026-01-31 12:00:00 in UTC, or seconds since 1970',
})
const CdrSchema = Type.Object(
  {
    call_id: Type.String({ minLength: 1, description: 'or uniqueid' }),
    from: Type.Optional(Type.String({ description: 'or src' })),
    to: Type.Optional(Type.String({ description: 'or dst' })),
    direction: Type.Optional(Type.Enum(['inbound', 'outbound'])),
    start: Type.Optional(time),
    ringing: Type.Optional(time),
    answer: Type.Optional(time),
    end: time,
    disposition: Type.Optional(
      Type.String({ description: 'ANSWERED, NO ANSWER, BUSY, CANCEL or FAILED, or a hangup cause of FreeSWITCH' }),
    ),
    sip_code: Type.Optional(Type.Integer({ description: 'the final response, when there is no disposition' })),
  },
  { description: 'or what mod_json_cdr of FreeSWITCH sends; docs/providers.md has examples' },
)

/** Bodies are read as bytes, and checked by what reads them. */
const unchecked = () => () => true

/**
 * Takes callbacks and call detail records as providers and switches send them, and hands the call events in them to ingest.
 *
 * A callback's URL says whose it is, and its signature that it comes from the provider. A call detail record comes with a key, for
 * hardly any switch can sign.
 */
export function providerRoutes<Event>(deps: ProviderDependencies<Event>): FastifyPluginAsync {
  const { callbacks, events, rates, tokens, publicUrl } = deps
  const known = new WeakMap<FastifyRequest, KnownCallback>()

  /** Before the body is read. */
  const callerOf =
    (provider: Provider) =>
    async (request: FastifyRequest): Promise<Principal> => {
      const { callback } = request.params as { readonly callback: string }
      const found = await callbacks.find(provider.name, callback)
      known.set(request, found)
      const { id: keyId, tenantId, tenantRate } = found
      return { keyId, tenantId, scopes: new Set(['events:write']), ...(tenantRate === undefined ? {} : { tenantRate }) }
    }
  const requireRoom: onRequestHookHandler = ({ principal }, _reply, done) => done(events.refusal(principal.tenantId))

  function takeCallback(provider: Provider, request: FastifyRequest, reply: FastifyReply) {
    const { headers, raw } = request
    const callback: Callback = { headers, urls: urlsOf(publicUrl, headers.host, raw.url ?? ''), ...bodyOf(request) }
    const problem = provider.signatureProblem(callback, known.get(request)?.secret ?? '', Date.now())
    if (problem !== undefined) throw WrongSignature(problem)
    return take(request, reply, provider.eventsOf(callback, Date.now()))
  }

  /** All of them can be stored, or none is. */
  async function take({ principal }: FastifyRequest, reply: FastifyReply, bodies: readonly ProviderEvent[]) {
    if (bodies.length === 0) return reply.code(204).send()
    const parsed = bodies.map((body) => events.parse(body))
    // The first of them was counted with the request.
    rates.charge(principal, parsed.length - 1)
    const receipts = await Promise.all(parsed.map((event) => submit(principal.tenantId, event)))
    const latest = receipts.reduce((last, { position }) => {
      const own = parseWalPosition(position ?? '') ?? 0n
      return own > last ? own : last
    }, 0n)
    const position = latest === 0n ? undefined : tokens.sealPosition(latest)
    if (position !== undefined) reply.header(HEADERS.position, position)
    reply.code(receipts.some(({ outcome }) => outcome !== 'duplicate') ? 201 : 200)
    const taken = receipts.map(({ outcome, callState }, i) => {
      const { eventId, callId } = bodies[i] as ProviderEvent
      return { eventId, callId, outcome, callState }
    })
    return { events: taken, position }
  }

  /** Its id says what happened: the same again, in other words, is the same. A provider that gets 409 would send it again. */
  async function submit(tenantId: string, event: Event): Promise<Pick<Receipt, 'outcome'> & Partial<Receipt>> {
    try {
      return await events.submit(tenantId, event)
    } catch (error) {
      if (EventConflict.is(error)) return { outcome: 'duplicate' }
      throw error
    }
  }

  return async (app) => {
    for (const provider of PROVIDERS) {
      app.post(provider.route, {
        config: { scope: 'events:write', callerOf: callerOf(provider), rawBody: true },
        schema: {
          tags: ['providers'],
          summary: `Store a callback of ${provider.title}`,
          description:
            'Needs no key: the URL says whose it is, and it must be signed. npm run tenants -- providers makes one.',
          security: [],
          consumes: [FORM, 'application/json'],
          params: Type.Object({ callback: Type.String() }),
          body: Type.Record(Type.String(), Type.Unknown(), { description: 'as the provider sends it' }),
          response: {
            200: TakenSchema,
            201: TakenSchema,
            204: NothingSchema,
            ...problems(400, 404, 413, 415, 422),
          },
        },
        validatorCompiler: unchecked,
        onRequest: requireRoom,
        handler: (request, reply) => takeCallback(provider, request, reply),
      })
    }
    app.post(ROUTES.eventsFromSipCdr, {
      config: { scope: 'events:write', rawBody: true, basicAuth: true },
      schema: {
        tags: ['providers'],
        summary: 'Store a call detail record of a switch',
        description:
          'Its times become the events of a call that has ended. The key may also be the password of Basic authentication.',
        security: [{ apiKey: [] }, { bearer: [] }, { basic: [] }],
        consumes: ['application/json', FORM],
        body: CdrSchema,
        response: { 200: TakenSchema, 201: TakenSchema, ...problems(400, 413, 415, 422) },
      },
      validatorCompiler: unchecked,
      onRequest: requireRoom,
      handler: (request, reply) => take(request, reply, cdrEvents(fieldsOf(bodyOf(request)))),
    })
  }
}

/** Takes the body away from its request: what waits for its commit must not hold it. */
function bodyOf(request: FastifyRequest): { readonly body: Buffer; readonly form: Form | undefined } {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  request.body = undefined
  const isForm = request.headers['content-type']?.toLowerCase().startsWith(FORM) === true
  return { body, form: isForm ? parseForm(body) : undefined }
}

/** The address that was called: with and without the port that its scheme implies, for providers may sign either. */
function urlsOf(publicUrl: string | undefined, host: string | undefined, path: string): readonly string[] {
  const base = (publicUrl ?? `https://${host ?? ''}`).replace(/\/+$/, '')
  const [, scheme = '', authority = '', rest = ''] = /^(https?:\/\/)([^/]*)(.*)$/.exec(base) ?? []
  const usual = scheme === 'https://' ? ':443' : ':80'
  const bare = authority.endsWith(usual) ? authority.slice(0, -usual.length) : authority
  const other = authority === bare ? (/:\d+$/.test(bare) ? [] : [bare + usual]) : [bare]
  return [authority, ...other].map((one) => scheme + one + rest + path)
}
