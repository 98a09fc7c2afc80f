import { ROUTES } from '@hopwhistle/contract/routes.ts'
import type { FastifyPluginAsync } from 'fastify'
import { Type } from 'typebox'
import { UpgradeRequired } from '../errors/catalogue.ts'
import { ProblemSchema } from '../http/problem-schema.ts'

/** Describes the WebSocket in the OpenAPI document, and answers those who come without an upgrade. */
export function liveRoutes(): FastifyPluginAsync {
  return async (app) => {
    app.get(
      ROUTES.live,
      {
        schema: {
          tags: ['live'],
          summary: 'Events as they happen (WebSocket)',
          description: 'Connect with `Upgrade: websocket`, then subscribe. The protocol is in docs/live-protocol.md.',
          response: {
            101: Type.Null({ description: 'The connection is a WebSocket from here on' }),
            426: {
              description: 'Only as a WebSocket',
              content: { 'application/problem+json': { schema: ProblemSchema } },
            },
          },
        },
      },
      async (_request, reply) => {
        reply.header('upgrade', 'websocket')
        throw UpgradeRequired()
      },
    )
  }
}
