import type { Scope } from '@hopwhistle/contract/routes.ts'
import { HEADERS } from '@hopwhistle/contract/routes.ts'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Authenticator } from '../access/authenticator.ts'
import { keyOfRequest } from '../access/key-of-request.ts'
import type { Principal } from '../access/principal.ts'
import type { TenantRate } from '../access/tenant-rate.ts'
import { ForbiddenTenant, MissingScope, RateLimited, Unauthorized } from '../errors/catalogue.ts'
import type { Metrics } from '../telemetry/metrics.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every route that declares a scope. */
    principal: Principal
  }
  interface FastifyContextConfig {
    /** What a key needs to use the route. Absent: the route is open to everyone. */
    scope?: Scope
  }
}

export type AccessDependencies = {
  readonly authenticator: Authenticator
  readonly tenantRate: TenantRate
  readonly ratePerSecond: number
  readonly metrics: Metrics
}

/** Lets a request through to a route with a scope only with a key that has it, for its own tenant, within its rate. */
export function addAccessHooks(app: FastifyInstance, deps: AccessDependencies): void {
  app.decorateRequest('principal', null as unknown as Principal)
  // onRequest: before the body is read, so that a stranger cannot make us parse a megabyte.
  app.addHook('onRequest', async (request: FastifyRequest) => {
    const { scope } = request.routeOptions.config
    if (scope === undefined) return
    const key = keyOfRequest(request.headers)
    const principal = key === undefined ? undefined : await deps.authenticator.authenticate(key)
    if (principal === undefined) throw Unauthorized()
    const claimed = request.headers[HEADERS.tenantId]
    if (claimed !== undefined && String(claimed).toLowerCase() !== principal.tenantId) throw ForbiddenTenant()
    if (!principal.scopes.has(scope)) throw MissingScope(scope)
    const waitSeconds = deps.tenantRate.take(principal.tenantId)
    if (waitSeconds !== undefined) {
      deps.metrics.rejected.inc({ reason: RateLimited.code })
      throw RateLimited(deps.ratePerSecond, waitSeconds)
    }
    request.principal = principal
  })
}
