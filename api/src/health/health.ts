import { ROUTES } from '@hopwhistle/contract/routes.ts'
import type { FastifyPluginAsync } from 'fastify'
import { Type } from 'typebox'

/**
 * starting ──ready()──▶ serving ──drain()──▶ draining
 *
 * starting   not ready: nothing is routed here yet
 * serving    ready, whatever Postgres and Redis do: an instance that answers an honest 503 is worth more than none. Not
 *            ready while it is unfit: it has never reached its database, or its settings lead where no instance can work
 * draining   not ready, still serving, while load balancers notice
 */
export type Phase = 'starting' | 'serving' | 'draining'

export type Health = {
  phase(): Phase
  ready(): void
  drain(): void
  /** Why no instance with these settings can work yet; undefined when it can. */
  readonly unfit: () => string | undefined
  /** What the instance depends on, by name; true when it answers. Never throws, never waits. */
  readonly dependencies: () => Readonly<Record<string, boolean>>
  readonly instance: string
}

export function createHealth(
  instance: string,
  dependencies: Health['dependencies'],
  unfit: Health['unfit'] = () => undefined,
): Health {
  let phase: Phase = 'starting'
  return {
    instance,
    dependencies,
    unfit,
    phase: () => phase,
    ready: () => {
      phase = 'serving'
    },
    drain: () => {
      phase = 'draining'
    },
  }
}

const Summary = Type.Object({
  status: Type.Union([Type.Literal('ok'), Type.Literal('degraded'), Type.Literal('unavailable')], {
    description:
      'ok: everything answers; degraded: the replica or Redis does not, and the rest works; unavailable: events cannot be taken',
  }),
  phase: Type.String({ description: 'starting, serving or draining' }),
  instance: Type.String(),
  uptimeSeconds: Type.Number(),
  dependencies: Type.Record(Type.String(), Type.Boolean(), { description: 'true: it answers' }),
})

export function healthRoutes(health: Health): FastifyPluginAsync {
  return async (app) => {
    app.get(
      ROUTES.health,
      {
        schema: {
          tags: ['operation'],
          summary: 'How the instance and what it depends on are',
          response: { 200: Summary, 503: Summary },
          security: [],
        },
      },
      async (_request, reply) => {
        const dependencies = health.dependencies()
        const all = Object.values(dependencies).every(Boolean)
        const status = dependencies.postgres === false ? 'unavailable' : all ? 'ok' : 'degraded'
        reply.code(status === 'unavailable' ? 503 : 200).header('cache-control', 'no-store')
        return {
          status,
          phase: health.phase(),
          instance: health.instance,
          uptimeSeconds: Math.round(process.uptime()),
          dependencies,
        }
      },
    )
    const text = (status: 200 | 503, description: string) => ({
      [status]: { description, content: { 'text/plain': { schema: Type.String() } } },
    })
    app.get(
      ROUTES.livez,
      {
        schema: {
          tags: ['operation'],
          summary: 'Whether the process runs',
          response: text(200, 'It does'),
          security: [],
        },
      },
      async (_request, reply) => reply.type('text/plain').send('ok\n'),
    )
    app.get(
      ROUTES.readyz,
      {
        schema: {
          tags: ['operation'],
          summary: 'Whether requests should be sent here',
          response: {
            ...text(200, 'Yes'),
            ...text(
              503,
              'No: it is starting or draining, has never reached its database, or a setting leads to the wrong server',
            ),
          },
          security: [],
        },
      },
      async (_request, reply) => {
        const phase = health.phase()
        const unfit = health.unfit()
        return reply
          .code(phase === 'serving' && unfit === undefined ? 200 : 503)
          .type('text/plain')
          .send(`${unfit ?? phase}\n`)
      },
    )
  }
}
