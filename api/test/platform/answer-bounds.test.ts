/** No answer is unbounded: each route of the OpenAPI document has a bound, and the most that it can be asked for keeps to it. */
import { readFileSync } from 'node:fs'
import { type CallEventBody, EVENT_BOUNDS } from '@hopwhistle/contract/calls.ts'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { anEvent, type Platform, post, runningPlatform, type Tenant } from './running-platform.ts'

let platform: Platform
let tenant: Tenant
beforeAll(async () => {
  platform = await runningPlatform(1, { TENANT_RATE_PER_SECOND: '1000000' })
  tenant = await platform.newTenant()
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

/** Here they are off; ten of them, with the longest URLs, or fifty attempts, are below 64 KiB. */
function webhookBounds(): Readonly<Record<string, Bound>> {
  const one = `${ROUTES.webhooks}/{webhookId}`
  const named = [
    ['get', ROUTES.webhooks],
    ['post', ROUTES.webhooks],
    ['get', one],
    ['patch', one],
    ['delete', one],
    ['post', `${one}/secret`],
    ['post', `${one}/test`],
    ['post', `${one}/replay`],
    ['get', `${one}/deliveries`],
  ] as const
  const most = () => get(ROUTES.webhooks)
  return Object.fromEntries(named.map(([method, path]) => [`${method} ${path}`, { bytes: 4 * KIB, most }]))
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
