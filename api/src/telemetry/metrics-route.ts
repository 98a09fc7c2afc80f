import { ROUTES } from '@hopwhistle/contract/routes.ts'
import type { FastifyPluginAsync } from 'fastify'
import { Type } from 'typebox'
import type { Metrics } from './metrics.ts'

/** `/metrics` in the Prometheus text format. */
export function metricsRoute(metrics: Pick<Metrics, 'registry' | 'scrape'>): FastifyPluginAsync {
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
      async (_request, reply) => reply.type(metrics.registry.contentType).send(await metrics.scrape()),
    )
  }
}
