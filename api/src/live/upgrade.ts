import type { IncomingMessage } from 'node:http'
import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import type { Authenticator } from '../access/authenticator.ts'
import { keyOfRequest } from '../access/key-of-request.ts'
import type { Principal } from '../access/principal.ts'
import { DatabaseUnavailable, ForbiddenTenant, MissingScope, RouteNotFound, Unauthorized } from '../errors/catalogue.ts'

/** Whether a request that asks for an upgrade means the live route; the query does not matter. */
export function isLivePath(url: string | undefined): boolean {
  const path = (url ?? '').split('?', 1)[0]
  return path === ROUTES.live || path === `${ROUTES.live}/`
}

/** @throws {Problem} why this request may not have a socket */
export async function admit(
  request: Pick<IncomingMessage, 'url' | 'headers'>,
  authenticator: Pick<Authenticator, 'authenticate'>,
): Promise<Principal> {
  if (!isLivePath(request.url)) throw RouteNotFound()
  const key = keyOfRequest(request.headers)
  if (key === undefined) throw Unauthorized()
  const principal = await Promise.resolve(authenticator.authenticate(key)).catch((error: unknown) => {
    throw DatabaseUnavailable(error)
  })
  if (principal === undefined) throw Unauthorized()
  const claimed = request.headers[HEADERS.tenantId]
  if (claimed !== undefined && String(claimed).toLowerCase() !== principal.tenantId) throw ForbiddenTenant()
  if (!principal.scopes.has('live:read')) throw MissingScope('live:read')
  return principal
}
