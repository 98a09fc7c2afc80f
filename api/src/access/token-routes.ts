import { hash } from 'node:crypto'
import { ROUTES, type Scope } from '@hopwhistle/contract/routes.ts'
import type { FastifyPluginAsync } from 'fastify'
import { Type } from 'typebox'
import { KeyRequired, MissingScope } from '../errors/catalogue.ts'
import { problems } from '../http/problem-schema.ts'
import { type Seal, sealBrowserToken } from './browser-token.ts'
import { keyOfRequest } from './key-of-request.ts'

const SECONDS = { usual: 300, most: 3_600 } as const
const scopes = Type.Enum(['live:read', 'reports:read'])

const TokenRequest = Type.Object(
  {
    scopes: Type.Optional(
      Type.Array(scopes, { minItems: 1, maxItems: 2, description: 'what the page may do. Default: live:read' }),
    ),
    seconds: Type.Optional(
      Type.Integer({ minimum: 1, maximum: SECONDS.most, description: `how long. Default: ${SECONDS.usual}` }),
    ),
  },
  { additionalProperties: false },
)

const TokenAnswer = Type.Object({
  token: Type.String({ description: 'used in the place of a key' }),
  expiresAt: Type.String({ format: 'date-time' }),
  scopes: Type.Array(scopes),
})

/** A server asks with its key, and hands the token to a page, which then never sees the key. */
export function tokenRoutes(seal: Seal): FastifyPluginAsync {
  return async (app) => {
    app.post<{ Body: { scopes?: Scope[]; seconds?: number } }>(ROUTES.tokens, {
      config: { scope: 'live:read' },
      schema: {
        tags: ['tokens'],
        summary: 'Make a short-lived token for a page',
        description:
          'Asked by a server with its key, so that the key never reaches a page. A token is good for less than its key, and ends with it.',
        body: TokenRequest,
        response: { 201: TokenAnswer, ...problems(400, 413, 415) },
      },
      handler: async ({ body, headers, principal }, reply) => {
        const key = keyOfRequest(headers) ?? ''
        if (principal.endsAtMs !== undefined) throw KeyRequired()
        const wanted = new Set<Scope>(body.scopes ?? ['live:read'])
        for (const scope of wanted) if (!principal.scopes.has(scope)) throw MissingScope(scope)
        const endsAtMs = (Math.floor(Date.now() / 1000) + (body.seconds ?? SECONDS.usual)) * 1000
        const token = await sealBrowserToken(seal, { keyHash: hash('sha256', key, 'buffer'), endsAtMs, scopes: wanted })
        reply.code(201).header('cache-control', 'no-store')
        return { token, expiresAt: new Date(endsAtMs).toISOString(), scopes: [...wanted] }
      },
    })
  }
}
