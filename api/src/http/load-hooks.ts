import type { FastifyInstance } from 'fastify'
import { TooManyRequests } from '../errors/catalogue.ts'
import type { Metrics } from '../telemetry/metrics.ts'

export type RequestsInFlight = { count(): number }

/**
 * Counts what is being served, refuses what is more than `limit` at once, and measures every answer by route.
 * Routes that declare no scope (health, metrics, docs) are never refused: an instance at its limit must still say so.
 */
export function addLoadHooks(app: FastifyInstance, limit: number, metrics: Metrics): RequestsInFlight {
  let inFlight = 0
  app.addHook('onRequest', async (request, reply) => {
    inFlight += 1
    // `close` comes once for each request, also for one whose client has gone.
    reply.raw.once('close', () => {
      inFlight -= 1
    })
    if (inFlight > limit && request.routeOptions.config.scope !== undefined) {
      metrics.rejected.inc({ reason: TooManyRequests.code })
      throw TooManyRequests(limit)
    }
  })
  app.addHook('onResponse', async (request, reply) => {
    const { method } = request
    const route = request.routeOptions.url ?? 'none'
    metrics.httpRequests.inc({ method, route, status: reply.statusCode })
    metrics.httpDuration.observe({ method, route }, reply.elapsedTime / 1000)
  })
  return { count: () => inFlight }
}
