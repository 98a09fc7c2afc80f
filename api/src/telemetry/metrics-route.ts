import { ROUTES } from '@hopwhistle/contract/routes.ts'
import type { FastifyPluginAsync } from 'fastify'
import { Type } from 'typebox'
import type { Metrics } from './metrics.ts'

/** `/metrics` in the Prometheus text format; `refresh` sets the gauges that are read rather than counted. */
export function metricsRoute(metrics: Metrics, refresh: () => Promise<void>): FastifyPluginAsync {
  return async (app) => {
    app.get(
      ROUTES.metrics,
      {
        schema: {
          tags: ['operation'],
          summary: 'Metrics of this instance for Prometheus',
          response: {
            200: { description: 'Prometheus text format', content: { 'text/plain': { schema: Type.String() } } },
          },
          security: [],
        },
      },
      async (_request, reply) => {
        await refresh()
        return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics())
      },
    )
  }
}
