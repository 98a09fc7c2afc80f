import { LABEL_BOUNDS } from '@hopwhistle/contract/calls.ts'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import type { FastifyPluginAsync } from 'fastify'
import { Type } from 'typebox'
import { problems } from '../errors/problem-schema.ts'
import type { TenantLabels } from './tenant-labels.ts'
import type { Turns } from './turns.ts'

const Labels = Type.Object(
  {
    labels: Type.Array(Type.String({ pattern: LABEL_BOUNDS.namePattern }), {
      maxItems: LABEL_BOUNDS.max,
      uniqueItems: true,
      description: 'every name that events may carry',
      examples: [['campaign', 'source', 'agent']],
    }),
  },
  { additionalProperties: false },
)

/** A tenant declares the names under which its events may carry labels. */
export function labelRoutes(labels: Pick<TenantLabels, 'read' | 'declare'>, turns: Turns): FastifyPluginAsync {
  return async (app) => {
    app.get(ROUTES.labels, {
      config: { scope: 'reports:read' },
      schema: { tags: ['labels'], summary: 'The labels that are declared', response: { 200: Labels, ...problems() } },
      handler: async ({ principal: { tenantId } }) => ({
        labels: await turns.run(tenantId, () => labels.read(tenantId)),
      }),
    })

    app.put<{ Body: { labels: string[] } }>(ROUTES.labels, {
      config: { scope: 'events:write' },
      schema: {
        tags: ['labels'],
        summary: 'Declare labels, in the place of those there were',
        description:
          'A new name is known within a second. One that is left out is refused within seconds; what calls have under it stays, ' +
          'and is shown again when it is declared again.',
        body: Labels,
        response: { 200: Labels, ...problems(400, 413, 415) },
      },
      handler: async ({ body, principal: { tenantId } }) => {
        await turns.run(tenantId, () => labels.declare(tenantId, body.labels))
        return { labels: body.labels }
      },
    })
  }
}
