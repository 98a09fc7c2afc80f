import { Type } from 'typebox'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { createAuthenticator } from '../../src/access/authenticator.ts'
import { createRates } from '../../src/access/rates.ts'
import { buildApp, type Surface } from '../../src/app.ts'
import { createHealth } from '../../src/health/health.ts'
import { createLog, type Log } from '../../src/telemetry/log.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'

const TENANT = '11111111-1111-4111-8111-111111111111'
const open: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

/** An app with one route that answers when told to, one that fails, and one that takes a body. */
async function app(
  options: {
    requestsInFlight?: number
    bodiesBytes?: number
    ratePerSecond?: number
    requestTimeoutMs?: number
    log?: Log
    surface?: Partial<Surface>
  } = {},
) {
  const metrics = createMetrics()
  const health = createHealth('test', () => ({ postgres: true, redis: true }))
  const ratePerSecond = options.ratePerSecond ?? 1000
  const rates = createRates(ratePerSecond, undefined, () => 1_000)
  const waiting: (() => void)[] = []
  const scopes = new Set(['events:write'] as const)
  const { http } = await buildApp({
    log: options.log ?? createLog({ level: 'silent', instanceId: 'test' }),
    metrics,
    limits: {
      bodyBytes: 200,
      requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
      requestsInFlight: options.requestsInFlight ?? 100,
      bodiesBytes: options.bodiesBytes ?? 1_000_000,
    },
    access: {
      authenticator: createAuthenticator(async () => ({ keyId: 'k', tenantId: TENANT, scopes }), 1000),
      rates,
      metrics,
    },
    health,
    surface: { publicMetrics: true, publicDocs: true, corsOrigins: new Set(), ...options.surface },
    capabilities: [
      async (routes) => {
        routes.get('/slow', { config: { scope: 'events:write' } }, async () => {
          await new Promise<void>((resolve) => waiting.push(resolve))
          return { done: true }
        })
        routes.get('/reports', { config: { scope: 'reports:read' } }, async () => ({}))
        routes.get('/broken', async () => {
          throw new Error('a secret of ours')
        })
        const body = Type.Object(
          { state: Type.Union([Type.Literal('A'), Type.Literal('B')]), size: Type.Integer({ minimum: 1, maximum: 5 }) },
          { additionalProperties: false },
        )
        routes.post('/things', { config: { scope: 'events:write' }, schema: { body } }, async () => ({ ok: true }))
      },
    ],
  })
  open.push(() => http.close(), rates.stop)
  const key = { 'x-api-key': 'any' }
  const post = (payload: string | object, headers: Record<string, string> = {}) =>
    http.inject({
      method: 'POST',
      url: '/things',
      payload,
      headers: { ...key, 'content-type': 'application/json', ...headers },
    })
  return { http, health, metrics, waiting, key, post }
}

test('a route with a scope needs a key; health, metrics and the documentation do not', async () => {
  const { http } = await app()
  const refused = await http.inject('/slow')
  expect(refused.statusCode).toBe(401)
  expect(refused.headers['www-authenticate']).toContain('Bearer')
  expect(refused.headers['content-type']).toContain('application/problem+json')
  expect(refused.json()).toMatchObject({
    type: 'urn:hopwhistle:problem:unauthorized',
    status: 401,
    code: 'unauthorized',
  })
  for (const url of ['/health', '/livez', '/metrics', '/openapi.json', '/docs']) {
    expect((await http.inject(url)).statusCode, url).toBeLessThan(400)
  }
})

test('a key may be sent as a bearer token', async () => {
  const { http } = await app()
  const answer = await http.inject({
    method: 'POST',
    url: '/things',
    payload: { state: 'A', size: 1 },
    headers: { authorization: 'Bearer k' },
  })
  expect(answer.statusCode).toBe(200)
})

test('a key without the scope, or for another tenant, is refused with 403', async () => {
  const { http, key, post } = await app()
  expect((await http.inject({ url: '/reports', headers: key })).json()).toMatchObject({
    status: 403,
    code: 'missing-scope',
  })
  const other = await post({ state: 'A', size: 1 }, { 'x-tenant-id': '22222222-2222-4222-8222-222222222222' })
  expect(other.json()).toMatchObject({ status: 403, code: 'forbidden-tenant' })
  expect((await post({ state: 'A', size: 1 }, { 'x-tenant-id': TENANT.toUpperCase() })).statusCode).toBe(200)
})

test('bad input is named field by field, with what it may be', async () => {
  const { post } = await app()
  const wrong = (await post({ state: 'C', size: 1 })).json()
  expect(wrong).toMatchObject({ status: 400, code: 'invalid-request' })
  expect(wrong.errors[0].field).toBe('state')
  expect((await post({ state: 'A' })).json().errors).toEqual([{ field: 'size', message: 'is missing' }])
  expect((await post({ state: 'A', size: 9 })).json().errors[0]).toMatchObject({
    field: 'size',
    message: expect.stringContaining('5'),
  })
  expect((await post({ state: 'A', size: '1' })).json().errors[0]).toMatchObject({ field: 'size' })
  expect((await post({ state: 'A', size: 1, extra: 1 })).json().errors[0]).toMatchObject({ field: 'extra' })
  expect((await post('{"state":')).json()).toMatchObject({ status: 400, code: 'malformed-body' })
  expect((await post('')).json()).toMatchObject({ status: 400, code: 'malformed-body' })
})

test('a body that is too long is 413, and one that is not JSON 415', async () => {
  const { post } = await app()
  expect((await post({ state: 'A', size: 1, pad: 'x'.repeat(300) })).json()).toMatchObject({
    status: 413,
    code: 'body-too-large',
  })
  expect((await post('a=b', { 'content-type': 'application/x-www-form-urlencoded' })).json()).toMatchObject({
    status: 415,
  })
})

test('a path that is not even a URL is a problem as well', async () => {
  const { http } = await app()
  expect((await http.inject('/things/%zz')).json()).toMatchObject({ status: 400, code: 'malformed-request' })
})

test('an unknown route is a problem too, and an internal error tells nothing but its request id', async () => {
  const { http } = await app()
  expect((await http.inject('/nowhere')).json()).toMatchObject({ status: 404, code: 'route-not-found' })
  const broken = await http.inject({ url: '/broken', headers: { 'x-request-id': 'abc-1' } })
  expect(broken.statusCode).toBe(500)
  expect(broken.body).not.toContain('secret')
  expect(broken.json().requestId).toBe('abc-1')
  expect(broken.headers['x-request-id']).toBe('abc-1')
})

test('past the requests in flight the next is refused with 503 and Retry-After, and health still answers', async () => {
  const { http, key, waiting, metrics } = await app({ requestsInFlight: 2 })
  const served = [1, 2].map(() => http.inject({ url: '/slow', headers: key }))
  await expect.poll(() => waiting.length).toBe(2)
  const refused = await http.inject({ url: '/slow', headers: key })
  expect(refused.json()).toMatchObject({ status: 503, code: 'requests-in-flight' })
  expect(refused.headers['retry-after']).toBe('1')
  expect((await http.inject('/livez')).statusCode).toBe(200)
  for (const go of waiting) go()
  expect((await Promise.all(served)).map((r) => r.statusCode)).toEqual([200, 200])
  expect(await metrics.registry.metrics()).toContain('hopwhistle_rejected_total{reason="requests-in-flight"} 1')
})

test('past the rate of its tenant a request is refused with 429 and Retry-After', async () => {
  const { post } = await app({ ratePerSecond: 3 })
  const answers = []
  for (let i = 0; i < 4; i++) answers.push(await post({ state: 'A', size: 1 }))
  expect(answers.map((a) => a.statusCode)).toEqual([200, 200, 200, 429])
  expect(answers[3]?.headers['retry-after']).toBe('1')
})

test('a request that takes too long ends with 503 instead of hanging', async () => {
  const { http, key } = await app({ requestTimeoutMs: 50 })
  expect((await http.inject({ url: '/slow', headers: key })).json()).toMatchObject({
    status: 503,
    code: 'request-timeout',
  })
})

test('an instance is ready only while it serves, and asks for connections to be closed while it drains', async () => {
  const { http, health } = await app()
  expect((await http.inject('/readyz')).statusCode).toBe(503)
  health.ready()
  expect((await http.inject('/readyz')).statusCode).toBe(200)
  health.drain()
  const draining = await http.inject('/readyz')
  expect(draining.statusCode).toBe(503)
  expect(draining.headers.connection).toBe('close')
  expect((await http.inject('/livez')).statusCode).toBe(200)
})

test('every request is counted by route and status, with no label of a tenant', async () => {
  const { http, post } = await app()
  await post({ state: 'A', size: 1 })
  const text = (await http.inject('/metrics')).body
  expect(text).toContain('hopwhistle_http_requests_total{method="POST",route="/things",status="200"} 1')
  expect(text).toContain('le="0.3"')
  expect(text).not.toContain(TENANT)
})

test('a method that a path does not take is 405, and says which it takes; a path that is none is 404', async () => {
  const { http } = await app()
  const wrong = await http.inject({
    method: 'POST',
    url: '/reports?x=1',
    payload: '{',
    headers: { 'content-type': 'application/json' },
  })
  expect(wrong.json()).toMatchObject({ status: 405, code: 'method-not-allowed' })
  expect(wrong.headers.allow).toBe('GET, HEAD')
  expect((await http.inject({ method: 'DELETE', url: '/things/' })).headers.allow).toBe('POST')
  expect((await http.inject({ method: 'POST', url: '/nowhere', payload: '{' })).json()).toMatchObject({ status: 404 })
})

test('every answer tells a browser to run nothing of it, to show it nowhere, and to believe its type', async () => {
  const { http } = await app()
  for (const url of ['/livez', '/reports', '/nowhere', '/openapi.json']) {
    expect((await http.inject({ url })).headers, url).toMatchObject({
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
    })
  }
  const docs = await http.inject({ url: '/docs/' })
  expect(docs.statusCode).toBe(200)
  // The page of the documentation needs its own scripts, and no others.
  expect(docs.headers['content-security-policy']).toMatch(/script-src 'self'; style-src 'self' 'unsafe-inline'$/)
})

test('refusals are logged once a second for each reason, with how many there were', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const lines: { readonly err: Record<string, unknown>; readonly refused: number }[] = []
  const log = createLog({ level: 'warn', instanceId: 'test' }, { write: (line) => void lines.push(JSON.parse(line)) })
  const { http, key, waiting } = await app({ requestsInFlight: 1, log })
  const taken = http.inject({ url: '/slow', headers: key })
  await vi.waitUntil(() => waiting.length > 0)
  const refuse = () => http.inject({ url: '/slow', headers: key })
  for (let i = 0; i < 20; i++) expect((await refuse()).statusCode).toBe(503)
  expect(lines.map(({ refused }) => refused)).toEqual([1])
  vi.advanceTimersByTime(1_000)
  await refuse()
  expect(lines.map(({ refused }) => refused)).toEqual([1, 20])
  expect(lines[0]?.err).toMatchObject({ code: 'requests-in-flight' })
  expect(lines[0]?.err).not.toHaveProperty('stack')
  for (const answer of waiting) answer()
  expect((await taken).statusCode).toBe(200)
})

test('metrics and the documentation can be taken off the public port', async () => {
  const { http } = await app({ surface: { publicMetrics: false, publicDocs: false } })
  for (const url of ['/metrics', '/openapi.json', '/docs', '/docs/', '/docs/json']) {
    expect((await http.inject(url)).json(), url).toMatchObject({ status: 404, code: 'route-not-found' })
  }
  expect((await http.inject('/livez')).statusCode).toBe(200)
})

const PAGE = 'https://app.example.com'
const preflight = (origin: string) =>
  ({
    method: 'OPTIONS',
    url: '/things',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'x-api-key, content-type',
    },
  }) as const

test('no page of another site may use the API unless its origin is named', async () => {
  const { http, key } = await app()
  expect((await http.inject(preflight(PAGE))).statusCode).toBe(405)
  const answer = await http.inject({ url: '/livez', headers: { ...key, origin: PAGE } })
  expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
})

test('a page of a named origin may use the API, read what refuses it, and no other page may', async () => {
  const { http, key, post } = await app({ surface: { corsOrigins: new Set([PAGE]) } })
  const allowed = await http.inject(preflight(PAGE))
  expect(allowed.statusCode).toBe(204)
  expect(allowed.headers).toMatchObject({
    'access-control-allow-origin': PAGE,
    'access-control-allow-methods': expect.stringContaining('POST'),
    'access-control-allow-headers': expect.stringContaining('x-api-key'),
    vary: 'origin',
  })
  expect(allowed.headers).not.toHaveProperty('access-control-allow-credentials')
  const sent = await post({ state: 'A', size: 1 }, { origin: PAGE })
  expect(sent.headers).toMatchObject({
    'access-control-allow-origin': PAGE,
    'access-control-expose-headers': expect.stringContaining('x-request-id'),
    'cross-origin-resource-policy': 'cross-origin',
  })
  for (const url of ['/slow', '/nowhere', '/things/%zz']) {
    const refused = await http.inject({ url, headers: { origin: PAGE } })
    expect(refused.headers['access-control-allow-origin'], url).toBe(PAGE)
  }
  for (const origin of ['https://evil.example.com', 'http://app.example.com', 'null']) {
    expect((await http.inject(preflight(origin))).statusCode).toBe(405)
    const other = await http.inject({ url: '/livez', headers: { ...key, origin } })
    expect(other.headers).not.toHaveProperty('access-control-allow-origin')
    expect(other.headers.vary).toBe('origin')
  }
})

test('a request that is refused for lack of room says who it was, too', async () => {
  const { http, key, waiting } = await app({ requestsInFlight: 1 })
  const taken = http.inject({ url: '/slow', headers: key })
  await expect.poll(() => waiting.length).toBe(1)
  const refused = await http.inject({ url: '/slow', headers: key })
  expect(refused.statusCode).toBe(503)
  expect(refused.headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'x-request-id': refused.json().requestId,
  })
  for (const answer of waiting) answer()
  await taken
})

test('reading metrics changes nothing: the next reader reads the same', async () => {
  const { http, post } = await app()
  await post({ state: 'A', size: 1 })
  const before = performance.now()
  while (performance.now() - before < 50);
  const read = async () =>
    (await http.inject('/metrics')).body
      .split('\n')
      .filter((line) =>
        /^(hopwhistle_event_loop_utilization_ratio|nodejs_eventloop_lag_p99_seconds|hopwhistle_usage)/.test(line),
      )
  const first = await read()
  expect(first.length).toBeGreaterThan(1)
  for (let i = 0; i < 5; i++) expect(await read()).toEqual(first)
})
