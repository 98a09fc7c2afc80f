import type { IncomingMessage } from 'node:http'
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import type { Authenticator } from '../access/authenticator.ts'
import { keyOfRequest } from '../access/key-of-request.ts'
import type { Principal } from '../access/principal.ts'
import { DatabaseUnavailable, ForbiddenTenant, MissingScope, RouteNotFound, Unauthorized } from '../errors/catalogue.ts'
import { type Problem, problemBody } from '../errors/problem.ts'

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

/** How long a client has to read a refusal. */
const REFUSAL_GRACE_MS = 1_000

/** Answers an upgrade with a problem, as any other route would, and ends the connection. */
export function refuseUpgrade(connection: Duplex, problem: Problem, requestId?: string): void {
  if (!connection.writable) return void connection.destroy()
  const body = JSON.stringify(problemBody(problem, requestId))
  const headers = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'connection: close',
    ...(problem.retryAfterSeconds === undefined ? [] : [`retry-after: ${problem.retryAfterSeconds}`]),
    ...(problem.status === 401 ? ['www-authenticate: Bearer realm="hopwhistle"'] : []),
    ...(requestId === undefined ? [] : [`${HEADERS.requestId}: ${requestId}`]),
  ]
  connection.end(`${headers.join('\r\n')}\r\n\r\n${body}`)
  setTimeout(() => connection.destroy(), REFUSAL_GRACE_MS).unref()
}
