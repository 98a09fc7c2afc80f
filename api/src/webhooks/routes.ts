import { EVENT_TEXT_PATTERN } from '@hopwhistle/contract/calls.ts'
import { LIVE_PATTERN_ALL, LIVE_TYPES } from '@hopwhistle/contract/live.ts'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { WebhooksOff } from '../errors/catalogue.ts'
import { problems } from '../errors/problem-schema.ts'
import type { Manage, NewWebhook, WebhookChange } from './manage.ts'
import { WEBHOOKS_MAX } from './manage.ts'

const OVERLAP_SECONDS = { usual: 86_400, most: 604_800 } as const

const url = Type.String({
  minLength: 1,
  maxLength: 2048,
  description: 'where events are posted to: https, on the public Internet, without user or password',
})
const patterns = Type.Array(Type.Enum([LIVE_PATTERN_ALL, ...LIVE_TYPES]), {
  minItems: 1,
  maxItems: 16,
  description: 'types of events, as for live delivery',
})
const description = Type.String({ maxLength: 200, pattern: EVENT_TEXT_PATTERN, description: 'for people' })
const orNull = (what: string) => Type.Union([Type.String({ format: 'date-time' }), Type.Null()], { description: what })

const WebhookRequest = Type.Object(
  { url, patterns, description: Type.Optional(description) },
  { additionalProperties: false },
)
const WebhookChangeRequest = Type.Object(
  {
    url: Type.Optional(url),
    patterns: Type.Optional(patterns),
    description: Type.Optional(description),
    enabled: Type.Optional(
      Type.Boolean({ description: 'false pauses it; true goes on, also after the platform disabled it' }),
    ),
  },
  { additionalProperties: false, minProperties: 1 },
)
const RotateRequest = Type.Object(
  {
    overlapSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: OVERLAP_SECONDS.most,
        description: `how long events are signed with the old secret as well. Default: ${OVERLAP_SECONDS.usual}`,
      }),
    ),
  },
  { additionalProperties: false },
)
const ReplayRequest = Type.Object(
  {
    after: Type.String({
      minLength: 1,
      maxLength: 200,
      description: 'the `offset` of an event: what follows is sent again',
    }),
  },
  { additionalProperties: false },
)

const fields = {
  id: Type.String({ format: 'uuid' }),
  url: Type.String(),
  patterns: Type.Array(Type.String()),
  description: Type.Union([Type.String(), Type.Null()]),
  state: Type.Enum(['active', 'paused', 'disabled']),
  disabledBecause: Type.Union([Type.String(), Type.Null()], {
    description: '`failing`: nothing was delivered for a day; `gone`: it answered 410',
  }),
  createdAt: Type.String({ format: 'date-time' }),
  deliveredAt: orNull('the last delivery'),
  failingSince: orNull('nothing was delivered since, and something failed'),
  retryAt: orNull('the next attempt, while most attempts fail'),
  offset: Type.String({ description: 'every event up to here is delivered, given up, or waits for another attempt' }),
}
const WebhookAnswer = Type.Object(fields)
const NewWebhookAnswer = Type.Object({
  ...fields,
  secret: Type.String({ description: 'verifies the signature. It is not shown again' }),
})
const DeliveryAnswer = Type.Object({
  at: Type.String({ format: 'date-time' }),
  eventId: Type.String(),
  offset: Type.String(),
  attempt: Type.Integer({ description: 'which attempt at this event it was, from 1' }),
  delivered: Type.Boolean(),
  status: Type.Union([Type.Integer(), Type.Null()], { description: 'null: there was no answer' }),
  error: Type.Union([Type.String(), Type.Null()]),
  ms: Type.Integer(),
})
const TestAnswer = Type.Object({
  delivered: Type.Boolean(),
  status: Type.Optional(Type.Integer()),
  error: Type.Optional(Type.String()),
  ms: Type.Integer(),
})
const WebhookParams = Type.Object({ webhookId: Type.String({ maxLength: 64 }) })

type OfWebhook = { Params: { webhookId: string } }

/** @param manage absent when webhooks are off */
export function webhookRoutes(manage: Manage | undefined): FastifyPluginAsync {
  const on = (): Manage => {
    if (manage === undefined) throw WebhooksOff()
    return manage
  }
  const by = ({ principal: { tenantId, keyId } }: FastifyRequest) => ({ tenantId, keyId })
  const config = { scope: 'webhooks:write' } as const
  const tags = ['webhooks']

  return async (app) => {
    // No cache on the way may keep secrets and addresses.
    app.addHook('onRequest', async (_request, reply) => {
      reply.header('cache-control', 'no-store')
    })

    app.post<{ Body: NewWebhook }>(ROUTES.webhooks, {
      config,
      schema: {
        tags,
        summary: 'Subscribe a URL to events',
        description: `Events that are answered from now on are posted to the URL, each at least once, those of a call in order. A tenant has at most ${WEBHOOKS_MAX} webhooks. See docs/webhooks.md.`,
        body: WebhookRequest,
        response: { 201: NewWebhookAnswer, ...problems(400, 409, 413, 415, 501) },
      },
      handler: async (request, reply) => {
        const made = await on().make(by(request), request.body)
        reply.code(201)
        return made
      },
    })
    app.get(ROUTES.webhooks, {
      config,
      schema: {
        tags,
        summary: 'List webhooks',
        response: { 200: Type.Object({ webhooks: Type.Array(WebhookAnswer) }), ...problems(501) },
      },
      handler: async ({ principal }) => ({ webhooks: await on().list(principal.tenantId) }),
    })
    app.get<OfWebhook>(ROUTES.webhook, {
      config,
      schema: {
        tags,
        summary: 'One webhook',
        params: WebhookParams,
        response: { 200: WebhookAnswer, ...problems(400, 404, 501) },
      },
      handler: async ({ principal, params }) => on().find(principal.tenantId, params.webhookId),
    })
    app.patch<OfWebhook & { Body: WebhookChange }>(ROUTES.webhook, {
      config,
      schema: {
        tags,
        summary: 'Change, pause or enable a webhook',
        description: 'What waits for another attempt is tried again at once.',
        params: WebhookParams,
        body: WebhookChangeRequest,
        response: { 200: WebhookAnswer, ...problems(400, 404, 413, 415, 501) },
      },
      handler: async (request) => on().change(by(request), request.params.webhookId, request.body),
    })
    app.delete<OfWebhook>(ROUTES.webhook, {
      config,
      schema: {
        tags,
        summary: 'Delete a webhook',
        params: WebhookParams,
        response: { 204: Type.Null({ description: 'Deleted' }), ...problems(400, 404, 501) },
      },
      handler: async (request, reply) => {
        await on().remove(by(request), request.params.webhookId)
        reply.code(204)
      },
    })
    app.post<OfWebhook & { Body: { overlapSeconds?: number } }>(ROUTES.webhookSecret, {
      config,
      schema: {
        tags,
        summary: 'Make a new secret',
        description: 'Events are signed with the old one as well for a while, so that the receiver can change over.',
        params: WebhookParams,
        body: RotateRequest,
        response: {
          200: Type.Object({
            secret: Type.String({ description: 'It is not shown again' }),
            previousUntil: orNull('until then the old one signs as well'),
          }),
          ...problems(400, 404, 413, 415, 501),
        },
      },
      handler: async (request) =>
        on().rotate(by(request), request.params.webhookId, request.body.overlapSeconds ?? OVERLAP_SECONDS.usual),
    })
    app.post<OfWebhook>(ROUTES.webhookTest, {
      config,
      schema: {
        tags,
        summary: 'Send a test',
        description: 'Posts an event of the type `webhook.test` now, once, and says what the URL answered.',
        params: WebhookParams,
        response: { 200: TestAnswer, ...problems(400, 404, 501) },
      },
      handler: async ({ principal, params }) => on().test(principal.tenantId, params.webhookId),
    })
    app.post<OfWebhook & { Body: { after: string } }>(ROUTES.webhookReplay, {
      config,
      schema: {
        tags,
        summary: 'Send events again',
        description: 'Delivery goes back to an offset, and sends everything after it again, with the same ids.',
        params: WebhookParams,
        body: ReplayRequest,
        response: { 200: WebhookAnswer, ...problems(400, 404, 410, 413, 415, 501) },
      },
      handler: async (request) => on().replay(by(request), request.params.webhookId, request.body.after),
    })
    app.get<OfWebhook>(ROUTES.webhookDeliveries, {
      config,
      schema: {
        tags,
        summary: 'The latest attempts to deliver',
        description: 'The latest 50, the newest first.',
        params: WebhookParams,
        response: { 200: Type.Object({ deliveries: Type.Array(DeliveryAnswer) }), ...problems(400, 404, 501) },
      },
      handler: async ({ principal, params }) => ({
        deliveries: await on().deliveries(principal.tenantId, params.webhookId),
      }),
    })
  }
}
