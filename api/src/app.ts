import { randomBytes } from 'node:crypto'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { EVENT_BOUNDS } from '@hopwhistle/contract/calls.ts'
import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import type {
  FastifyBaseLogger,
  FastifyError,
  FastifyInstance,
  FastifyPluginAsync,
  FastifyReply,
  FastifyRequest,
} from 'fastify'
import { fastify, LogController } from 'fastify'
import { MalformedRequest, RouteNotFound } from './errors/catalogue.ts'
import type { Health } from './health/health.ts'
import { healthRoutes } from './health/health.ts'
import type { AccessDependencies } from './http/access-hooks.ts'
import { addAccessHooks } from './http/access-hooks.ts'
import { addBeforeRoutes, onClientError, serverOptions } from './http/before-routes.ts'
import { addPreflight, describeToPage } from './http/cors.ts'
import { withExamples } from './http/documented-examples.ts'
import { addJsonBody } from './http/json-body.ts'
import type { RequestsInFlight } from './http/load-hooks.ts'
import { addLoadHooks } from './http/load-hooks.ts'
import { openApiDocument } from './http/openapi-document.ts'
import { addProblemHandler, sendProblem } from './http/problem-handler.ts'
import { SECURITY_HEADERS } from './http/security-headers.ts'
import { addUnroutedHook } from './http/unrouted-hook.ts'
import { lazyLog } from './telemetry/lazy-log.ts'
import type { Log } from './telemetry/log.ts'
import type { Metrics } from './telemetry/metrics.ts'
import { metricsRoute } from './telemetry/metrics-route.ts'

export type AppLimits = {
  readonly bodyBytes: number
  readonly requestTimeoutMs: number
  readonly requestsInFlight: number
  /** Of all request bodies together. */
  readonly bodiesBytes: number
}

export type AppDependencies = {
  readonly log: Log
  readonly metrics: Metrics
  readonly limits: AppLimits
  readonly access: AccessDependencies
  readonly surface: Surface
  readonly health: Health
  /** The routes of each capability. */
  readonly capabilities: readonly FastifyPluginAsync[]
}

/** What the public port shows, and to whose pages. */
export type Surface = {
  readonly publicMetrics: boolean
  readonly publicDocs: boolean
  readonly corsOrigins: ReadonlySet<string>
}

/** An id of as many characters as it may have, each of four bytes, percent-encoded. */
const MAX_PARAM_LENGTH = EVENT_BOUNDS.idMaxLength * 12

/** Swagger UI runs its own scripts and no others, and writes styles into its page. */
const DOCS_CSP =
  "default-src 'self'; base-uri 'self'; frame-ancestors 'none'; img-src 'self' data:; object-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'"

export type App = { readonly http: FastifyInstance; readonly load: RequestsInFlight }

/** Builds the API without listening, so that tests may inject requests. */
export async function buildApp(deps: AppDependencies): Promise<App> {
  const app = fastify({
    loggerInstance: deps.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    frameworkErrors: (error, request, reply) => {
      describeAnswer(request, reply)
      describeToPage(deps.surface.corsOrigins, request, reply)
      sendProblem(request, reply, isBadUrl(error) ? MalformedRequest('the path is not a URL') : RouteNotFound())
    },
    clientErrorHandler: onClientError(deps.limits),
    http: serverOptions(deps.limits),
    bodyLimit: deps.limits.bodyBytes,
    requestTimeout: deps.limits.requestTimeoutMs,
    // Longer than a load balancer keeps an idle connection, so that it is never we who close under its next request.
    keepAliveTimeout: 75_000,
    // A request that comes on an open connection while we close is still answered: see main.ts for the order of things.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    genReqId: requestIds(),
    childLoggerFactory: (log, bindings, options) => lazyLog(() => log.child(bindings, options)),
    exposeHeadRoutes: true,
    ajv: { customOptions: { allErrors: false, coerceTypes: false, removeAdditional: false, useDefaults: true } },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PARAM_LENGTH },
  })
  const { publicMetrics, publicDocs, corsOrigins } = deps.surface
  addProblemHandler(app, deps.limits)
  app.addHook('onRequest', (request, reply, done) => {
    describeAnswer(request, reply)
    describeToPage(corsOrigins, request, reply)
    if (deps.health.phase() === 'draining') reply.header('connection', 'close')
    done()
  })
  const load = addLoadHooks(app, deps.limits, deps.metrics)
  addJsonBody(app, deps.limits.bodyBytes, load)
  app.addHook('onResponse', (request, reply, done) => {
    if (deps.log.isLevelEnabled('info')) {
      request.log.info({ req: request, res: reply, ms: Math.round(reply.elapsedTime * 10) / 10 }, 'request')
    }
    done()
  })
  addBeforeRoutes(app)
  addPreflight(app, corsOrigins)
  addUnroutedHook(app)
  addAccessHooks(app, deps.access, load)

  await app.register(swagger, openApiDocument)
  if (publicDocs) {
    await app.register(swaggerUi, {
      routePrefix: ROUTES.docs,
      staticCSP: DOCS_CSP,
      transformSpecificationClone: true,
      transformSpecification: (document) => withExamples(document, Date.now()),
    })
    app.get(ROUTES.openapi, { schema: { hide: true } }, async () => app.swagger())
  }
  await app.register(healthRoutes(deps.health))
  if (publicMetrics) await app.register(metricsRoute(deps.metrics))
  for (const capability of deps.capabilities) await app.register(capability)

  await app.ready()
  return { http: app, load }
}

/** Health and metrics of this very instance, for a port that it shares with no other. */
export async function buildAdminApp(
  deps: Pick<AppDependencies, 'log' | 'metrics' | 'health'>,
): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: deps.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
  })
  await app.register(healthRoutes(deps.health))
  await app.register(metricsRoute(deps.metrics))
  return app
}

/** What every answer says of itself. */
function describeAnswer(request: FastifyRequest, reply: FastifyReply): void {
  reply.header(HEADERS.requestId, request.id).headers(SECURITY_HEADERS)
}

const isBadUrl = (error: FastifyError) => error.code === 'FST_ERR_BAD_URL'

/** Passes on the caller's request id when it is harmless, else makes one that is unique over all instances. */
function requestIds(): (req: { headers: Record<string, string | string[] | undefined> }) => string {
  const prefix = randomBytes(6).toString('base64url')
  let next = 0
  return (req) => {
    const given = req.headers[HEADERS.requestId]
    if (typeof given === 'string' && /^[\w.:-]{1,64}$/.test(given)) return given
    next += 1
    return `${prefix}-${next.toString(36)}`
  }
}
