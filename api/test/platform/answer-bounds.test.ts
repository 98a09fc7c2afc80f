/** No answer is unbounded: each route of the OpenAPI document has a bound, and the most that it can be asked for keeps to it. */
import { readFileSync } from 'node:fs'
import { type CallEventBody, EVENT_BOUNDS } from '@hopwhistle/contract/calls.ts'
import { LIVE_PATTERN_ALL, LIVE_TYPES } from '@hopwhistle/contract/live.ts'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { anEvent, type Platform, post, runningPlatform, type Tenant } from './running-platform.ts'

let platform: Platform
let tenant: Tenant
beforeAll(async () => {
  platform = await runningPlatform(1, {
    TENANT_RATE_PER_SECOND: '1000000',
    WEBHOOK_KEYS: Buffer.alloc(32, 1).toString('base64'),
  })
  tenant = await platform.newTenant(['events:write', 'reports:read', 'live:read', 'webhooks:write'])
})
afterAll(() => platform.close())

const KIB = 1024
const MIB = 1024 * KIB
/** Of four bytes each. */
const long = (characters: number, n: number) => `${String(n).padStart(5, '0')}${'📞'.repeat(characters - 5)}`
const CALL = long(EVENT_BOUNDS.idMaxLength, 0)

function longEvent(n: number, callId: string): CallEventBody {
  const numbers = { from: '📞'.repeat(32), to: '📞'.repeat(32) }
  // Without a number written out it would be half as long when it is stored.
  const metadata = { a: Array(25).fill(1e308) }
  const eventId = long(EVENT_BOUNDS.idMaxLength, n)
  return anEvent('RINGING', { eventId, callId, direction: 'outbound', ...numbers, metadata })
}

async function lengthOf(method: string, path: string, body?: string): Promise<{ status: number; bytes: number }> {
  const answer = await fetch(platform.instances[0]!.url + path, {
    method,
    headers: { 'x-api-key': tenant.key, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body }),
  })
  return { status: answer.status, bytes: (await answer.arrayBuffer()).byteLength }
}

const get = (path: string) => lengthOf('GET', path)
const send = (path: string, body: string) => lengthOf('POST', path, body)
/** As many fields that are none as a body has room for. */
const strays = (bytes: number) =>
  `{${Array.from({ length: Math.floor(bytes / 10) }, (_, i) => `"${i.toString(36).padStart(5, '0')}":1`).join()}}`
const aMonthAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString()

type Bound = { readonly bytes: number; readonly most: () => Promise<{ status: number; bytes: number }> }
const small = (path: string): Bound => ({ bytes: KIB, most: () => get(path) })
const oneEvent = (path: string): Bound => ({ bytes: 8 * KIB, most: () => send(path, strays(MIB - 100)) })

const A_WEBHOOK = {
  url: 'https://a.example/'.padEnd(2_048, 'u'),
  patterns: [LIVE_PATTERN_ALL, ...LIVE_TYPES],
  description: '📞'.repeat(200),
}
const WEBHOOKS_MAX = 10
const DELIVERIES_KEPT = 50
let webhookId = ''

/** As many as a tenant may have, as long as they may be, and as many attempts as are kept, of events with the longest ids. */
async function fillWebhooks(): Promise<void> {
  for (let made = 0; made < WEBHOOKS_MAX; made++) {
    const { status, body } = await post(platform.instances[0]!, A_WEBHOOK, tenant.key, ROUTES.webhooks)
    expect(status).toBe(201)
    webhookId = body.id
  }
  const error = 'the request failed: '.padEnd(80, 'E')
  const attempt = {
    at: new Date().toISOString(),
    batch: 1,
    place: 1,
    attempt: 1_000,
    delivered: false,
    status: null,
    error,
    ms: 60_000,
  }
  const recent = Array.from({ length: DELIVERIES_KEPT }, (_, n) => ({
    ...attempt,
    eventId: long(EVENT_BOUNDS.idMaxLength, n),
  }))
  await platform.query(`update hopwhistle.webhooks set state = 'paused', recent = $1`, [JSON.stringify(recent)])
}

function webhookBounds(): Readonly<Record<string, Bound>> {
  const one = `${ROUTES.webhooks}/{webhookId}`
  const path = (what = '', id = webhookId) => `${ROUTES.webhooks}/${id}${what}`
  const nobodys = (what = '') => path(what, 'x'.repeat(64))
  return {
    [`get ${ROUTES.webhooks}`]: { bytes: 64 * KIB, most: () => get(ROUTES.webhooks) },
    // Its answer is that of one webhook, and a secret.
    [`post ${ROUTES.webhooks}`]: { bytes: 8 * KIB, most: () => send(ROUTES.webhooks, JSON.stringify(A_WEBHOOK)) },
    [`get ${one}`]: { bytes: 8 * KIB, most: () => get(path()) },
    [`patch ${one}`]: { bytes: 8 * KIB, most: () => lengthOf('PATCH', path(), JSON.stringify(A_WEBHOOK)) },
    [`delete ${one}`]: { bytes: KIB, most: () => lengthOf('DELETE', nobodys()) },
    [`post ${one}/secret`]: { bytes: KIB, most: () => send(path('/secret'), '{}') },
    // An attempt, without an id.
    [`post ${one}/test`]: { bytes: KIB, most: () => send(nobodys('/test'), '') },
    [`post ${one}/replay`]: { bytes: 8 * KIB, most: () => send(path('/replay'), strays(MIB - 100)) },
    [`get ${one}/deliveries`]: { bytes: 128 * KIB, most: () => get(path('/deliveries')) },
  }
}

const BOUNDS: Readonly<Record<string, Bound>> = {
  [`get ${ROUTES.health}`]: small(ROUTES.health),
  [`get ${ROUTES.livez}`]: small(ROUTES.livez),
  [`get ${ROUTES.readyz}`]: small(ROUTES.readyz),
  // Its labels have no tenant, no key and no call: their number is fixed.
  [`get ${ROUTES.metrics}`]: { bytes: 256 * KIB, most: () => get(ROUTES.metrics) },
  [`post ${ROUTES.callEvent}`]: oneEvent(ROUTES.callEvent),
  [`post ${ROUTES.demoCallEvent}`]: oneEvent(ROUTES.demoCallEvent),
  [`post ${ROUTES.callEvents}`]: {
    bytes: 2 * MIB,
    most: () => send(ROUTES.callEvents, `{"events":[${Array(EVENT_BOUNDS.batchMax).fill(strays(2_000)).join()}]}`),
  },
  [`post ${ROUTES.eventsFromTwilio.replace(':callback', '{callback}')}`]: {
    bytes: KIB,
    most: () => send(ROUTES.eventsFromTwilio.replace(':callback', 'x'.repeat(2_000)), strays(MIB - 100)),
  },
  [`post ${ROUTES.eventsFromTelnyx.replace(':callback', '{callback}')}`]: {
    bytes: KIB,
    most: () => send(ROUTES.eventsFromTelnyx.replace(':callback', 'x'.repeat(2_000)), strays(MIB - 100)),
  },
  [`post ${ROUTES.eventsFromSipCdr}`]: oneEvent(ROUTES.eventsFromSipCdr),
  [`get ${ROUTES.reportMetrics}`]: {
    bytes: 4 * MIB,
    most: () => get(`${ROUTES.reportMetrics}?granularity=hour&from=${aMonthAgo(91)}`),
  },
  [`get ${ROUTES.reportCalls}`]: { bytes: 512 * KIB, most: () => get(`${ROUTES.reportCalls}?limit=200`) },
  [`get ${ROUTES.call.replace(':callId', '{callId}')}`]: {
    bytes: 4 * MIB,
    most: () => get(`${ROUTES.call.replace(':callId', encodeURIComponent(CALL))}?limit=200`),
  },
  [`get ${ROUTES.labels}`]: small(ROUTES.labels),
  [`put ${ROUTES.labels}`]: { bytes: 8 * KIB, most: () => lengthOf('PUT', ROUTES.labels, strays(MIB - 100)) },
  ...webhookBounds(),
  [`post ${ROUTES.tokens}`]: { bytes: 4 * KIB, most: () => send(ROUTES.tokens, '{}') },
  // As plain HTTP it answers that it is a WebSocket; there, a socket has at most LIVE_SOCKET_BUFFER_BYTES to read.
  [`get ${ROUTES.live}`]: small(ROUTES.live),
}

test('every route has a bound', () => {
  const { paths } = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8')) as {
    paths: Readonly<Record<string, object>>
  }
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  )
  expect(Object.keys(BOUNDS).toSorted()).toEqual(routes.toSorted())
})

test('the most that each route answers is within its bound', async () => {
  const at = platform.instances[0]!
  await fillWebhooks()
  for (const [count, callOf] of [
    [260, () => CALL],
    [220, (n: number) => long(EVENT_BOUNDS.idMaxLength, n)],
  ] as const) {
    for (let from = 0; from < count; from += 130) {
      const events = Array.from({ length: Math.min(130, count - from) }, (_, i) => {
        const n = from + i + (callOf(1) === CALL ? 0 : 1_000)
        return longEvent(n, callOf(n))
      })
      const { status, body } = await post(at, { events }, tenant.key, ROUTES.callEvents)
      expect([status, body.results?.[0]?.status], JSON.stringify(body).slice(0, 300)).toEqual([200, 201])
    }
  }
  const { url } = at
  const shown = async () => {
    const answer = await fetch(`${url}${ROUTES.reportCalls}?limit=200`, { headers: { 'x-api-key': tenant.key } })
    return ((await answer.json()) as { calls: unknown[] }).calls.length
  }
  await expect.poll(shown, { timeout: 20_000, interval: 500 }).toBe(200)
  for (const [route, { bytes, most }] of Object.entries(BOUNDS)) {
    const answer = await most()
    expect(answer.bytes, route).toBeGreaterThan(0)
    expect(answer.bytes, `${route}, answered ${answer.status}`).toBeLessThanOrEqual(bytes)
    // Else it says nothing.
    if (bytes > 8 * KIB) expect(answer.bytes, route).toBeGreaterThan(bytes / 8)
  }
})
