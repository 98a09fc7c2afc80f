import type { Scope } from '@hopwhistle/contract/routes.ts'
import { HEADERS } from '@hopwhistle/contract/routes.ts'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Authenticator } from '../access/authenticator.ts'
import { keyOfBasicAuth, keyOfRequest } from '../access/key-of-request.ts'
import type { Principal } from '../access/principal.ts'
import type { Rates } from '../access/rates.ts'
import { ForbiddenTenant, MissingScope, RateLimited, Unauthorized } from '../errors/catalogue.ts'
import type { Problem } from '../errors/problem.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { RequestsInFlight } from './load-hooks.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every route that declares a scope. */
    principal: Principal
  }
  interface FastifyContextConfig {
    /** What a key needs to use the route. Absent: the route is open to everyone. */
    scope?: Scope
    /** Finds the caller of a request that has no key; rejects with a problem if there is none. Absent: the holder of the key. */
    callerOf?: (request: FastifyRequest) => Principal | Promise<Principal>
    /** The key may also be the password, or the user, of Basic authentication: some switches can send nothing else. */
    basicAuth?: true
  }
}

export type AccessDependencies = {
  readonly authenticator: Authenticator
  readonly rates: Rates
  readonly metrics: Metrics
}

/**
 * Lets a request through to a route with a scope only with a key that has it, for its own tenant, within its rate and its share
 * of what the instance serves at once.
 *
 * A key that is known costs no promise: nearly every request has one, and a turn of the microtask queue for each of
 * them was 2 % of the profile of taking an event.
 */
export function addAccessHooks(
  app: FastifyInstance,
  deps: AccessDependencies,
  inFlight: Pick<RequestsInFlight, 'take'>,
): void {
  app.decorateRequest('principal', null as unknown as Principal)
  // onRequest: before the body is read, so that a stranger cannot make us parse a megabyte.
  app.addHook('onRequest', (request, reply, done) => {
    const { scope, callerOf, basicAuth } = request.routeOptions.config
    if (scope === undefined) return done()
    const principal = callerOf === undefined ? holderOfKey(request, basicAuth) : callerOf(request)
    if (!(principal instanceof Promise)) return done(admit(request, reply, principal, scope))
    principal.then((found) => done(admit(request, reply, found, scope)), done)
  })

  function holderOfKey({ headers }: FastifyRequest, basicAuth?: true) {
    const key = keyOfRequest(headers) ?? (basicAuth === true ? keyOfBasicAuth(headers) : undefined)
    return key === undefined ? undefined : deps.authenticator.authenticate(key)
  }

  /** @returns why not */
  function admit(
    request: FastifyRequest,
    reply: FastifyReply,
    principal: Principal | undefined,
    scope: Scope,
  ): Problem | undefined {
    if (principal === undefined) return Unauthorized()
    const claimed = request.headers[HEADERS.tenantId]
    if (claimed !== undefined && String(claimed).toLowerCase() !== principal.tenantId) return ForbiddenTenant()
    if (!principal.scopes.has(scope)) return MissingScope(scope)
    const over = deps.rates.take(principal)
    const refusal = over === undefined ? inFlight.take(request, reply, principal.tenantId) : RateLimited(over)
    if (refusal === undefined) request.principal = principal
    else deps.metrics.rejected.inc({ reason: refusal.code })
    return refusal
  }
}
