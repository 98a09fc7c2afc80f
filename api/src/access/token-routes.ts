import { ROUTES, type Scope } from '@hopwhistle/contract/routes.ts'
import type { FastifyPluginAsync } from 'fastify'
import { Type } from 'typebox'
import { KeyRequired, MissingScope, TooManyTokens } from '../errors/catalogue.ts'
import { problems } from '../errors/problem-schema.ts'
import { newBrowserToken } from './browser-token.ts'
import type { Turns } from './turns.ts'

const SECONDS = { usual: 300, most: 3_600 } as const
/** Of one key, that work at the same time. */
const TOKENS_MAX = 10_000
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

/** @returns false when the key has as many as it may */
type KeepToken = (token: {
  readonly keyId: string
  readonly tokenHash: Buffer
  readonly scopes: readonly Scope[]
  readonly endsAt: Date
  readonly most: number
}) => Promise<boolean>

/** A server asks with its key, and hands the token to a page, which then never sees the key. */
export function tokenRoutes(keep: KeepToken, turns: Turns): FastifyPluginAsync {
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
      handler: async ({ body, principal }, reply) => {
        if (principal.endsAtMs !== undefined) throw KeyRequired()
        const scopes = [...new Set<Scope>(body.scopes ?? ['live:read'])]
        for (const scope of scopes) if (!principal.scopes.has(scope)) throw MissingScope(scope)
        const endsAt = new Date(Date.now() + (body.seconds ?? SECONDS.usual) * 1000)
        const { token, tokenHash } = newBrowserToken()
        const made = { keyId: principal.keyId, tokenHash, scopes, endsAt, most: TOKENS_MAX }
        if (!(await turns.run(principal.tenantId, () => keep(made)))) throw TooManyTokens(TOKENS_MAX)
        reply.code(201).header('cache-control', 'no-store')
        return { token, expiresAt: endsAt.toISOString(), scopes }
      },
    })
  }
}
