import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { CALL_STATES } from '@hopwhistle/contract/calls.ts'
import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { HEADERS, ROUTES, SCOPES } from '@hopwhistle/contract/routes.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { anEvent, get, type Platform, post, runningPlatform, type Tenant } from './running-platform.ts'

let platform: Platform
let acme: Tenant
let other: Tenant

beforeAll(async () => {
  platform = await runningPlatform(2)
  acme = await platform.newTenant()
  other = await platform.newTenant()
})
afterAll(() => platform.close())

const first = () => platform.instances[0]!
const second = () => platform.instances[1]!

test('what was answered with 201 can be read at once from any instance, with the position of the write', async () => {
  for (let i = 0; i < 20; i++) {
    const event = anEvent('INITIATED')
    const written = await post(first(), event, acme.key)
    expect(written.status).toBe(201)
    const position = written.headers.get(HEADERS.position)
    expect(position).toBe(written.body.position)
    const call = await get(second(), `/api/v1/calls/${event.callId}`, acme.key, { [HEADERS.position]: position! })
    expect(call.status, JSON.stringify(call.body)).toBe(200)
  }
})

test('the same events sent through two instances at once are each stored once, and every call ends the same', async () => {
  const calls = Array.from({ length: 40 }, (_, i) => `twice-${i}`)
  const events = calls.flatMap((callId) =>
    (['INITIATED', 'RINGING', 'ANSWERED', 'COMPLETED'] as const).map((state) => anEvent(state, { callId })),
  )
  const shuffled = [...events, ...events].toSorted(() => Math.random() - 0.5)
  const answers = await Promise.all(shuffled.map((e, i) => post(i % 2 === 0 ? first() : second(), e, acme.key)))
  expect(answers.filter((a) => a.status === 201)).toHaveLength(events.length)
  expect(answers.filter((a) => a.status === 200 && a.body.outcome === 'duplicate')).toHaveLength(events.length)
  const stored = await platform.query<{ n: string }>(
    `select count(*) as n from hopwhistle.call_events where tenant_id = $1 and call_id like 'twice-%'`,
    [acme.id],
  )
  expect(Number(stored[0]?.n)).toBe(events.length)
  const states = await platform.query<{ state: number }>(
    `select distinct state from hopwhistle.calls where tenant_id = $1 and call_id like 'twice-%'`,
    [acme.id],
  )
  expect(states.map((s) => CALL_STATES[s.state])).toEqual(['COMPLETED'])
})

test('another tenant sees nothing through any route, and a guessed id tells as little as one that never was', async () => {
  const event = anEvent('INITIATED')
  const { body } = await post(first(), event, acme.key)
  const asOther = (path: string) => get(second(), path, other.key, { [HEADERS.position]: body.position })
  const guessed = await asOther(`/api/v1/calls/${event.callId}`)
  const never = await asOther('/api/v1/calls/never-was')
  expect(guessed.status).toBe(404)
  expect({ ...guessed.body, requestId: '' }).toEqual({ ...never.body, requestId: '' })
  expect((await asOther(ROUTES.reportCalls)).body.calls ?? (await asOther(ROUTES.reportCalls)).body.data).toEqual([])
  const metrics = await asOther(`${ROUTES.reportMetrics}?granularity=hour`)
  expect(metrics.status).toBe(200)
  expect(JSON.stringify(metrics.body)).not.toMatch(/"calls":[1-9]/)
  // Their event ids are their own: the same id is no duplicate and no conflict for someone else.
  expect((await post(second(), { ...event, state: 'RINGING' }, other.key)).status).toBe(201)
})

test('a key without the scope, another tenant’s id, and no key are refused on every route that has a scope', async () => {
  const writer = await platform.newTenant(['events:write'])
  expect((await get(first(), ROUTES.reportCalls, writer.key)).status).toBe(403)
  expect((await get(first(), ROUTES.reportCalls, acme.key, { [HEADERS.tenantId]: other.id })).status).toBe(403)
  for (const path of [ROUTES.reportCalls, `${ROUTES.reportMetrics}?granularity=hour`, '/api/v1/calls/x']) {
    expect((await get(first(), path)).status, path).toBe(401)
  }
  for (const path of [ROUTES.callEvent, ROUTES.demoCallEvent, ROUTES.callEvents]) {
    expect((await post(first(), anEvent('RINGING'), undefined, path)).status, path).toBe(401)
  }
})

test('a revoked key stops working within seconds on every instance', async () => {
  const leaver = await platform.newTenant()
  for (const at of platform.instances) expect((await get(at, ROUTES.reportCalls, leaver.key)).status).toBe(200)
  await platform.query('update hopwhistle.api_keys set revoked_at = now() where tenant_id = $1', [leaver.id])
  for (const at of platform.instances) {
    await expect
      .poll(async () => (await get(at, ROUTES.reportCalls, leaver.key)).status, { timeout: 6_000, interval: 100 })
      .toBe(401)
  }
})

test('bad input says what is wrong and what it may be', async () => {
  const wrong = async (body: unknown) => (await post(first(), body, acme.key)).body
  expect(await wrong(anEvent('RANG' as never))).toMatchObject({
    status: 400,
    code: 'unknown-state',
    detail: expect.stringContaining('INITIATED'),
  })
  expect(await wrong({ ...anEvent('RINGING'), callId: 7 })).toMatchObject({
    status: 400,
    errors: [{ field: 'callId' }],
  })
  expect(await wrong(anEvent('RINGING', { occurredAt: '2001-01-01T00:00:00Z' }))).toMatchObject({
    status: 422,
    code: 'time-out-of-range',
  })
  expect(await wrong('{')).toMatchObject({ status: 400, code: 'malformed-body' })
  const event = anEvent('RINGING')
  await post(first(), event, acme.key)
  expect(await wrong({ ...event, state: 'ANSWERED' })).toMatchObject({ status: 409, code: 'event-conflict' })
  const bad = (path: string) => get(first(), path, acme.key)
  expect((await bad(`${ROUTES.reportCalls}?cursor=nonsense`)).body).toMatchObject({
    status: 400,
    code: 'invalid-cursor',
  })
  expect((await bad(`${ROUTES.reportCalls}?position=nonsense`)).body).toMatchObject({
    status: 400,
    code: 'invalid-position',
  })
  expect((await bad(`${ROUTES.reportMetrics}?granularity=minute`)).body).toMatchObject({ status: 400 })
})

test('in a batch, each event has an outcome of its own', async () => {
  const good = anEvent('INITIATED')
  const events = [good, anEvent('RANG' as never), good, { ...good, state: 'RINGING' }]
  const answer = await post(first(), { events }, acme.key, ROUTES.callEvents)
  expect(answer.status).toBe(200)
  expect(answer.body.results.map((r: { status: number }) => r.status)).toEqual([201, 400, 200, 409])
})

test('every limit is exported beside its use, every metric of the contract exists, and none names a tenant', async () => {
  const scrape = async () => (await fetch(`${first().adminUrl}${ROUTES.metrics}`)).text()
  for (const resource of Object.keys(LIMITS)) {
    await expect.poll(scrape, { timeout: 10_000 }).toContain(`${METRICS.usage}{resource="${resource}"} `)
  }
  const text = await scrape()
  for (const [resource, limit] of Object.entries(LIMITS)) {
    expect(text).toContain(`${METRICS.limit}{resource="${resource}"} ${limit.value}`)
  }
  for (const name of Object.values(METRICS)) expect(text, name).toContain(name)
  expect(text).not.toContain(acme.id)
})

test('the instance says how it and what it depends on are', async () => {
  expect((await get(first(), ROUTES.health)).body).toMatchObject({
    status: 'ok',
    dependencies: { postgres: true, replica: true, redis: true },
  })
})

test('numbers of metadata come back exactly, and the same metadata written otherwise is a duplicate', async () => {
  const event = JSON.stringify(anEvent('INITIATED')).slice(0, -1)
  const written = await post(first(), `${event},"metadata":{"a":9007199254740993,"b":[1.50,1e2]}}`, acme.key)
  expect(written.status, JSON.stringify(written.body)).toBe(201)
  const headers = { 'x-api-key': acme.key, [HEADERS.position]: written.body.position }
  const timeline = await fetch(`${first().url}/api/v1/calls/${JSON.parse(`${event}}`).callId}`, { headers })
  expect(await timeline.text()).toContain('"a": 9007199254740993')
  const same = await post(first(), `${event},"metadata":{"b":[1.5,100],"a":9007199254740993}}`, acme.key)
  expect([same.status, same.body.outcome]).toEqual([200, 'duplicate'])
  const other = await post(first(), `${event},"metadata":{"b":[1.5,100],"a":9007199254740992}}`, acme.key)
  expect(other.status).toBe(409)
  const beyond = await post(first(), `${event},"metadata":{"a":1e-400}}`, acme.key)
  expect(beyond.body).toMatchObject({ status: 400, errors: [{ field: 'metadata' }] })
})

type Documented = { readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> } }
const openApi = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8')) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Documented>>>>
}
/** But for callbacks, which are signed: their tests send them. */
const ROUTES_WITH_A_BODY = Object.entries(openApi.paths).flatMap(([path, methods]) =>
  Object.entries(methods)
    .filter(([, { requestBody }]) => requestBody !== undefined && !path.includes('{callback}'))
    .map(([method, { requestBody }]) => ({
      method: method.toUpperCase(),
      route: path.replace(/\{\w+\}/g, randomUUID()),
      takesForms: requestBody?.content['application/x-www-form-urlencoded'] !== undefined,
    })),
)

test('a body that is not JSON in UTF-8 is refused as what it is, on every route that takes one', async () => {
  const { key } = await platform.newTenant(SCOPES)
  expect(ROUTES_WITH_A_BODY.length).toBeGreaterThan(8)
  for (const { method, route, takesForms } of ROUTES_WITH_A_BODY) {
    const send = (type: string, body: Buffer, more: Record<string, string> = {}) =>
      fetch(`${first().url}${route}`, {
        method,
        headers: { 'x-api-key': key, 'content-type': type, ...more },
        body: new Uint8Array(body),
      })
    const text = JSON.stringify({ ...anEvent('RINGING'), eventId: 'event-é' })
    const latin1 = await send('application/json', Buffer.from(text, 'latin1'))
    const answered = [latin1.status, ((await latin1.json()) as { code: string }).code]
    expect(answered, `${method} ${route}`).toEqual([400, 'malformed-body'])
    for (const [type, more] of [
      ['application/json; charset=iso-8859-1', {}],
      ['application/x-www-form-urlencoded; charset=iso-8859-1', {}],
      ['text/plain', {}],
      ['application/xml', {}],
      ['application/json', { 'content-encoding': 'br' }],
      ...(takesForms ? [] : [['application/x-www-form-urlencoded', {}] as const]),
    ] as const) {
      const refused = await send(type, Buffer.from(text), more)
      expect(
        [refused.status, ((await refused.json()) as { code: string }).code],
        `${method} ${route} ${type} ${JSON.stringify(more)}`,
      ).toEqual([415, 'unsupported-media-type'])
    }
    expect((await send('application/json;charset="UTF-8"', Buffer.from(text))).status).not.toBe(415)
    expect((await send('application/cloudevents+json', Buffer.from(text))).status).not.toBe(415)
  }
})

test('metadata may have any key, also one that has a meaning to JavaScript, and comes back as it was', async () => {
  const metadata = '{"__proto__":{"admin":true},"constructor":{"prototype":{"x":1}},"toString":"no"}'
  const event = anEvent('INITIATED')
  const written = await post(first(), `${JSON.stringify(event).slice(0, -1)},"metadata":${metadata}}`, acme.key)
  expect(written.status, JSON.stringify(written.body)).toBe(201)
  const headers = { [HEADERS.position]: written.body.position }
  const { body } = await get(first(), `/api/v1/calls/${event.callId}`, acme.key, headers)
  expect(JSON.parse(JSON.stringify(body.events[0].metadata))).toEqual(JSON.parse(metadata))
  expect(({} as { admin?: boolean }).admin).toBeUndefined()
  const refused = await post(first(), `${JSON.stringify(anEvent('RINGING')).slice(0, -1)},"__proto__":{}}`, acme.key)
  expect(refused.body).toMatchObject({ status: 400, errors: [{ field: '__proto__' }] })
})
