import { ROUTES } from '@hopwhistle/contract/routes.ts'
import type { FastifyPluginAsync } from 'fastify'
import { Type } from 'typebox'
import { UpgradeRequired } from '../errors/catalogue.ts'
import { problems } from '../errors/problem-schema.ts'

/** Describes the WebSocket in the OpenAPI document, and answers those who come without an upgrade. */
export function liveRoutes(): FastifyPluginAsync {
  return async (app) => {
    app.get(
      ROUTES.live,
      {
        // As with an upgrade: a browser is not told why its WebSocket was refused, and may ask here.
        config: { scope: 'live:read' },
        schema: {
          tags: ['live'],
          summary: 'Events as they happen (WebSocket)',
          description: 'Connect with `Upgrade: websocket`, then subscribe. The protocol is in docs/live-protocol.md.',
          response: {
            101: Type.Null({ description: 'The connection is a WebSocket from here on' }),
            ...problems(426),
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
