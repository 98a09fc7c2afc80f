/** The upper limit for cached reports: a Fastify route that has the bytes in memory. */

import type { AddressInfo } from 'node:net'
import { runAsChild } from '@hopwhistle/platform/child/run-as-child.ts'
import { fastify } from 'fastify'
import type { ServerReady } from './stores-nothing.ts'

export type SameBytesConfig = {
  /** Answers by path and query of the request. */
  readonly answers: Readonly<Record<string, string>>
  /** The headers of the API's answer. */
  readonly headers: Readonly<Record<string, string>>
}

runAsChild(async ({ answers, headers }: SameBytesConfig) => {
  const app = fastify()
  const bodies = new Map(Object.entries(answers).map(([path, body]) => [path, Buffer.from(body)]))
  app.get('/*', async (request, reply) => {
    reply.headers(headers)
    return reply.send(bodies.get(request.url))
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { ready: { port: (app.server.address() as AddressInfo).port } satisfies ServerReady }
})
