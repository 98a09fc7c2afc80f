/** Whose pages may read answers. Off unless origins are named; a key, never a cookie, is what lets a page in. */
import { HEADERS } from '@hopwhistle/contract/routes.ts'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

const ALLOWED_HEADERS = ['authorization', 'content-type', 'if-none-match', ...Object.values(HEADERS)].join(', ')
const EXPOSED_HEADERS = [
  HEADERS.position,
  HEADERS.requestId,
  HEADERS.asOf,
  HEADERS.source,
  'content-disposition',
  'etag',
  'retry-after',
].join(', ')
const PREFLIGHT_KEPT_SECONDS = 7_200

/**
 * What every answer says to the page that asked, also one that refuses.
 *
 * @param origins as browsers send them, such as `https://app.example.com`
 */
export function describeToPage(origins: ReadonlySet<string>, request: FastifyRequest, reply: FastifyReply): void {
  if (origins.size === 0) return
  reply.header('vary', 'origin')
  const { origin } = request.headers
  if (origin === undefined || !origins.has(origin)) return
  reply
    .header('access-control-allow-origin', origin)
    .header('access-control-expose-headers', EXPOSED_HEADERS)
    .header('cross-origin-resource-policy', 'cross-origin')
}

/** Answers what a browser asks before it lets a page send a key; without a key, as it asks without one. */
export function addPreflight(app: FastifyInstance, origins: ReadonlySet<string>): void {
  if (origins.size === 0) return
  app.addHook('onRequest', (request, reply, done) => {
    const { origin, 'access-control-request-method': asked } = request.headers
    if (request.method !== 'OPTIONS' || asked === undefined || !origins.has(origin ?? '')) return done()
    reply
      .code(204)
      .header('access-control-allow-methods', 'GET, HEAD, POST')
      .header('access-control-allow-headers', ALLOWED_HEADERS)
      .header('access-control-max-age', PREFLIGHT_KEPT_SECONDS)
      .send()
  })
}
