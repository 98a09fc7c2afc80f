import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { LIVE_CLOSE, LIVE_KEY_SUBPROTOCOL_PREFIX, LIVE_SUBPROTOCOL } from '@hopwhistle/contract/live.ts'
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { anEvent, get, type Platform, post, type Running, runningPlatform, type Tenant } from './running-platform.ts'

let platform: Platform
let acme: Tenant

beforeAll(async () => {
  platform = await runningPlatform(1, {
    REQUEST_TIMEOUT_MS: '1500',
    MAX_REQUESTS_IN_FLIGHT: '3',
    WEBHOOK_KEYS: Buffer.alloc(32, 1).toString('base64'),
  })
  acme = await platform.newTenant()
})
afterAll(() => platform.close())

const at = (): Running => platform.instances[0]!
const lines = (...all: string[]) => all.map((line) => `${line}\r\n`).join('')

/** Writes bytes as they are, and reads until the other end closes. */
async function raw(
  bytes: string,
  as: 'json' | 'text' = 'json',
): Promise<{ status: number; headers: string; body: Record<string, unknown> }> {
  const socket = connect(Number(new URL(at().url).port), '127.0.0.1')
  socket.write(bytes)
  const [headers = '', body = ''] = (await text(socket)).split('\r\n\r\n')
  return { status: Number(headers.split(' ')[1]), headers, body: body === '' || as === 'text' ? {} : JSON.parse(body) }
}
const post100 = (...more: string[]) =>
  lines(`POST ${ROUTES.callEvent} HTTP/1.1`, 'Host: x', `x-api-key: ${acme.key}`, 'content-length: 100', ...more, '')

const metrics = async () => (await fetch(`${at().adminUrl}${ROUTES.metrics}`)).text()

test('a client that announces 100 bytes and sends 10 is told so with 408, and costs none of our promises', async () => {
  const answer = await raw(`${post100('content-type: application/json')}{"eventId"`)
  expect(answer).toMatchObject({ status: 408, body: { code: 'request-incomplete' } })
  expect(answer.headers).toMatch(/connection: close/i)
  // Counted once the connection has closed, which its other end may know first.
  const line = `${METRICS.httpRequests}{method="POST",route="${ROUTES.callEvent}",status="408"} 1`
  await expect.poll(metrics, { timeout: 10_000 }).toContain(line)
  const counted = await metrics()
  expect(counted).not.toMatch(/status="5/)
  expect(counted).not.toContain(`${METRICS.httpDuration}_count{method="POST",route="${ROUTES.callEvent}"}`)
})

test('clients that send nothing more do not keep others out: their places are given away', async () => {
  const stuck = Array.from({ length: 3 }, () => raw(`${post100('content-type: application/json')}{`))
  await expect.poll(async () => await metrics()).toContain(`${METRICS.usage}{resource="requests_in_flight"} 3`)
  // Refused while they may still be on their way, taken once they are plainly not.
  await expect.poll(async () => (await post(at(), anEvent('RINGING'), acme.key)).status, { timeout: 10_000 }).toBe(201)
  for (const { status } of await Promise.all(stuck)) expect(status).toBe(408)
})

test('what a stranger announces is no use of a limit; what was taken of a body is', async () => {
  const read = async () =>
    Number(new RegExp(`^${METRICS.usage}{resource="request_body"} (.*)$`, 'm').exec(await metrics())?.[1])
  const before = await read()
  const answer = await raw(
    lines('GET /livez HTTP/1.1', 'Host: x', 'connection: close', 'content-length: 999999999999', ''),
    'text',
  )
  expect(answer.status).toBe(200)
  expect(await read()).toBe(before)
  const event = { ...anEvent('RINGING'), metadata: { long: 'x'.repeat(2_000) } }
  expect((await post(at(), event, acme.key)).status).toBe(201)
  expect(await read()).toBe(JSON.stringify(event).length)
  expect(await read()).toBe(JSON.stringify(event).length)
})

test('a request that is refused before its body has arrived is answered once', async () => {
  const refused = `${post100('content-type: application/json').replace(acme.key, 'unknown')}{`
  expect(await raw(refused)).toMatchObject({ status: 401, body: { code: 'unauthorized' } })
})

test('a client that never finishes its headers is answered with 408', async () => {
  expect(await raw('GET /livez HTTP/1.1\r\nhost: x\r\n')).toMatchObject({
    status: 408,
    body: { code: 'request-incomplete' },
  })
})

test.each([
  ['bytes that are not HTTP', 'hello\r\n\r\n', 400, 'malformed-request'],
  ['a header without a colon', lines('GET /livez HTTP/1.1', 'Host: x', 'nonsense', ''), 400, 'malformed-request'],
  ['no Host', lines('GET /livez HTTP/1.1', 'connection: close', ''), 400, 'malformed-request'],
  [
    'a path that is not a URL',
    lines('GET /api/v1/calls/%zz HTTP/1.1', 'Host: x', 'connection: close', ''),
    400,
    'malformed-request',
  ],
  [
    'headers that are too long',
    lines('GET /livez HTTP/1.1', 'Host: x', `x: ${'y'.repeat(20_000)}`, ''),
    431,
    'headers-too-large',
  ],
  [
    'an expectation of something else',
    lines('POST /x HTTP/1.1', 'Host: x', 'expect: a miracle', 'content-length: 2', '', '{}'),
    417,
    'expectation-failed',
  ],
  ['a request to be a proxy', lines('CONNECT example.com:443 HTTP/1.1', 'Host: x', ''), 405, 'method-not-allowed'],
])('%s is answered with a problem as well', async (_, bytes, status, code) => {
  const answer = await raw(bytes)
  expect(answer).toMatchObject({ status, body: { status, code, type: `urn:hopwhistle:problem:${code}` } })
  expect(answer.headers).toMatch(/content-type: application\/problem\+json/i)
  expect(answer.headers).toMatch(/x-content-type-options: nosniff/i)
})

test.each([
  'content-type: text/plain',
  'content-type: json',
  'content-type: ',
  'content-type: application/json-seq',
  'content-type: application/x-www-form-urlencoded',
  'content-type: application/json; charset=utf-16',
  'content-encoding: deflate\r\ncontent-type: application/json',
  'content-encoding: br, gzip\r\ncontent-type: application/json',
  'no-type: at-all',
])('a body that comes with "%s" is 415', async (header) => {
  const answer = await raw(`${post100(header, 'connection: close')}${'x'.repeat(100)}`)
  expect(answer).toMatchObject({ status: 415, body: { code: 'unsupported-media-type' } })
})

test('a transfer coding other than chunked is 415', async () => {
  const head = [`POST ${ROUTES.callEvent} HTTP/1.1`, 'Host: x', `x-api-key: ${acme.key}`, 'connection: close']
  const answer = await raw(
    lines(...head, 'content-type: application/json', 'transfer-encoding: gzip, chunked', '', '2', 'xx', '0', ''),
  )
  expect(answer).toMatchObject({ status: 415, body: { code: 'unsupported-media-type' } })
})

test('the document has what every route of the API may refuse', async () => {
  const { paths } = (await get(at(), ROUTES.openapi)).body as {
    paths: Record<string, Record<string, { responses: object }>>
  }
  const routes = Object.entries(paths).filter(([path]) => path.startsWith('/api/'))
  expect(routes.length).toBeGreaterThan(15)
  for (const [path, methods] of routes)
    for (const [method, { responses }] of Object.entries(methods))
      for (const status of ['401', '403', '429', '500', '503'])
        expect(responses, `${method} ${path}`).toHaveProperty(status)
})

test('api/openapi.json is what an instance serves', async () => {
  const written = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8'))
  expect((await get(at(), ROUTES.openapi)).body).toEqual(written)
})

test('HEAD answers what GET does, without the body, on every route that has a GET', async () => {
  const document = (await get(at(), ROUTES.openapi)).body
  const { key } = await platform.newTenant(['events:write', 'reports:read', 'live:read', 'webhooks:write'])
  const { callId } = (await post(at(), anEvent('RINGING'), key)).body
  const webhook = await post(at(), { url: 'https://a.example/', patterns: ['call.*'] }, key, ROUTES.webhooks)
  await waitUntil('the call', async () => (await get(at(), `/api/v1/calls/${callId}`, key)).status === 200, {
    timeoutMs: 20_000,
  })
  const described = Object.entries<Record<string, unknown>>(document.paths)
    .filter(([, methods]) => 'get' in methods)
    .map(([path]) => path)
  const asked = [...described, ROUTES.openapi, ROUTES.docs].flatMap((path) => {
    const url = path.replace('{callId}', callId).replace('{webhookId}', webhook.body.id)
    const types = /reporting/.test(path) ? ['text/csv', 'application/x-ndjson', '*/*'] : ['*/*']
    return types.map((accept) => [url + (path === ROUTES.reportMetrics ? '?granularity=hour' : ''), accept] as const)
  })
  expect(asked.length).toBeGreaterThan(15)
  for (const [path, accept] of asked) {
    const headers = { 'x-api-key': key, accept }
    const answer = await fetch(at().url + path, { headers })
    await answer.text()
    const head = await fetch(at().url + path, { method: 'HEAD', headers })
    expect([path, answer.status]).toEqual([path, path === ROUTES.live ? 426 : 200])
    expect([path, head.status]).toEqual([path, answer.status])
    expect(head.headers.get('content-type'), path).toBe(answer.headers.get('content-type'))
    expect(await head.text()).toBe('')
  }
})

/** What a browser's program is told of a connection that ends. */
async function closeSeenBy(protocols: readonly string[], headers: Record<string, string> = {}) {
  const socket = new WebSocket(at().url.replace('http', 'ws') + ROUTES.live, [...protocols], {
    headers,
    origin: 'https://page',
  })
  socket.on('error', () => {})
  const [code, reason] = await once(socket, 'close')
  return [code, String(reason)]
}

test('a page whose key is refused can tell, and is told apart from one that should try again', async () => {
  const writer = await platform.newTenant(['events:write'])
  const other = await platform.newTenant()
  const offers = (key: string) => [LIVE_SUBPROTOCOL, LIVE_KEY_SUBPROTOCOL_PREFIX + key]
  expect(await closeSeenBy(offers('unknown'))).toEqual([LIVE_CLOSE.unauthorized, 'unauthorized'])
  expect(await closeSeenBy([LIVE_SUBPROTOCOL])).toEqual([LIVE_CLOSE.unauthorized, 'unauthorized'])
  expect(await closeSeenBy(offers(writer.key))).toEqual([LIVE_CLOSE.forbidden, 'missing-scope'])
  expect(await closeSeenBy(offers(acme.key), { [HEADERS.tenantId]: other.id })).toEqual([
    LIVE_CLOSE.forbidden,
    'forbidden-tenant',
  ])
})

test.each([
  ['without a key for the handshake', ['Sec-WebSocket-Version: 13']],
  ['of an unknown version', ['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 99']],
])('an upgrade %s is answered with a problem', async (_, more) => {
  const answer = await raw(
    lines(
      `GET ${ROUTES.live} HTTP/1.1`,
      'Host: x',
      'Connection: Upgrade',
      'Upgrade: websocket',
      `x-api-key: ${acme.key}`,
      ...more,
      '',
    ),
  )
  expect(answer).toMatchObject({ status: 400, body: { code: 'malformed-request' } })
})
