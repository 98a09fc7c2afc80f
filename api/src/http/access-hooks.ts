import type { Scope } from '@hopwhistle/contract/routes.ts'
import { HEADERS } from '@hopwhistle/contract/routes.ts'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Authenticator } from '../access/authenticator.ts'
import { keyOfRequest } from '../access/key-of-request.ts'
import type { Principal } from '../access/principal.ts'
import type { TenantRate } from '../access/tenant-rate.ts'
import { ForbiddenTenant, MissingScope, RateLimited, Unauthorized } from '../errors/catalogue.ts'
import type { Problem } from '../errors/problem.ts'
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

/**
 * Lets a request through to a route with a scope only with a key that has it, for its own tenant, within its rate.
 *
 * A key that is known costs no promise: nearly every request has one, and a turn of the microtask queue for each of
 * them was 2 % of the profile of taking an event.
 */
export function addAccessHooks(app: FastifyInstance, deps: AccessDependencies): void {
  app.decorateRequest('principal', null as unknown as Principal)
  // onRequest: before the body is read, so that a stranger cannot make us parse a megabyte.
  app.addHook('onRequest', (request, _reply, done) => {
    const { scope } = request.routeOptions.config
    if (scope === undefined) return done()
    const key = keyOfRequest(request.headers)
    const principal = key === undefined ? undefined : deps.authenticator.authenticate(key)
    if (!(principal instanceof Promise)) return done(admit(request, principal, scope))
    principal.then((found) => done(admit(request, found, scope)), done)
  })

  /** @returns why not */
  function admit(request: FastifyRequest, principal: Principal | undefined, scope: Scope): Problem | undefined {
    if (principal === undefined) return Unauthorized()
    const claimed = request.headers[HEADERS.tenantId]
    if (claimed !== undefined && String(claimed).toLowerCase() !== principal.tenantId) return ForbiddenTenant()
    if (!principal.scopes.has(scope)) return MissingScope(scope)
    const waitSeconds = deps.tenantRate.take(principal.tenantId)
    if (waitSeconds !== undefined) {
      deps.metrics.rejected.inc({ reason: RateLimited.code })
      return RateLimited(deps.ratePerSecond, waitSeconds)
    }
    request.principal = principal
    return undefined
  }
}
