import { readFileSync } from 'node:fs'
import type { SwaggerOptions } from '@fastify/swagger'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string
}

/** What the OpenAPI document says beyond the routes, which describe themselves. */
export const openApiDocument: SwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Hopwhistle API',
      version,
      description:
        'Takes call events, reports on calls and delivers events live. Every error is problem+json (RFC 9457) with a `code` that never changes. ' +
        'Live delivery is a WebSocket at `/api/v1/live`; its protocol is in docs/live-protocol.md.',
    },
    tags: [
      { name: 'calls', description: 'Call events in' },
      { name: 'providers', description: 'Callbacks of providers, and call detail records, in' },
      { name: 'reports', description: 'Calls and metrics out' },
      { name: 'live', description: 'Events as they happen' },
      { name: 'webhooks', description: 'Events to your URLs' },
      { name: 'tokens', description: 'Keys for pages' },
      { name: 'labels', description: 'What events may say of their calls' },
      { name: 'operation', description: 'Health and metrics' },
    ],
    components: {
      securitySchemes: {
        apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
        bearer: { type: 'http', scheme: 'bearer' },
        basic: { type: 'http', scheme: 'basic' },
      },
    },
    security: [{ apiKey: [] }, { bearer: [] }],
  },
}
