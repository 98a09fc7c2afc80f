import type { FastifyInstance } from 'fastify'
import { MethodNotAllowed, RouteNotFound } from '../errors/catalogue.ts'

/**
 * Answers what no route takes before its body is read: 405 with the methods that the path does take, or 404.
 *
 * Comes before the routes, for it listens to them being added.
 */
export function addUnroutedHook(app: FastifyInstance): void {
  const routes = new Map<string, { readonly matches: RegExp; readonly methods: Set<string> }>()
  app.addHook('onRoute', ({ url, method }) => {
    const route = routes.get(url) ?? { matches: patternOf(url), methods: new Set() }
    for (const one of [method].flat()) route.methods.add(one)
    routes.set(url, route)
  })
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) return done()
    const path = request.url.split('?', 1)[0] ?? ''
    const methods = [...routes.values()].find(({ matches }) => matches.test(path))?.methods
    // `*` of the documentation's files matches what they are not.
    if (methods === undefined || methods.has(request.method)) return done(RouteNotFound())
    const allowed = [...methods].sort().join(', ')
    reply.header('allow', allowed)
    done(MethodNotAllowed(request.method, allowed))
  })
}

/** `/calls/:callId` → every path that has one more part there. */
function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part.startsWith(':')) return '[^/]+'
    return part === '*' ? '.*' : part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')
  })
  return new RegExp(`^${parts.join('/')}/?$`)
}
