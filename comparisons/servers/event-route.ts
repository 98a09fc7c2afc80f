/** The API's route for a call event, in plain Fastify. */
import type { AddressInfo } from 'node:net'
import type { CallEventBody, CallState } from '@hopwhistle/contract/calls.ts'
import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import { fastify } from 'fastify'

/** JSON Schemas from the API's own OpenAPI document. */
export type EventSchemas = { readonly body: object; readonly answer: object }

export type Stored = { readonly outcome: 'applied' | 'late' | 'duplicate'; readonly callState: CallState }

/**
 * Parses JSON, validates it against the API's schema, passes it to `store` and serializes the same answer by the same
 * schema. It has no keys, tenants, limits or metrics.
 *
 * @returns the port
 */
export async function serveEventRoute(
  { body, answer }: EventSchemas,
  store: (event: CallEventBody) => Promise<Stored> | Stored,
): Promise<number> {
  const app = fastify()
  app.post<{ Body: CallEventBody }>(ROUTES.callEvent, {
    schema: { body, response: { 200: answer, 201: answer } },
    handler: async ({ body }, reply) => {
      const { outcome, callState } = await store(body)
      reply.code(outcome === 'duplicate' ? 200 : 201).header(HEADERS.position, POSITION)
      return { eventId: body.eventId, callId: body.callId, outcome, callState, position: POSITION }
    },
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

/** As long as a real one. */
const POSITION = 'AVC2AZkAAAAABaPB-Grl0hdPLWX_'
