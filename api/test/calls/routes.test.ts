import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import Fastify from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTenantLabels, type TenantLabels } from '../../src/access/tenant-labels.ts'
import { buildApp } from '../../src/app.ts'
import { createKeepAside } from '../../src/calls/keep-aside.ts'
import { callRoutes } from '../../src/calls/routes.ts'
import type { Problem } from '../../src/errors/problem.ts'
import { createHealth } from '../../src/health/health.ts'
import { createPrimaryServer } from '../../src/postgres/primary-server.ts'
import { labelStore } from '../../src/postgres/tenant-labels.ts'
import { createTokenKeys, createTokens, type Tokens } from '../../src/postgres/tokens.ts'
import { createLog } from '../../src/telemetry/log.ts'
import type { CallStore, TestIngest } from './call-store.ts'
import { callStore } from './call-store.ts'

let store: CallStore
let ingest: TestIngest
let tenantId: string
let labels: TenantLabels
let http: Awaited<ReturnType<typeof buildApp>>['http']

let tokens: Tokens
const rates = { take: () => undefined, charge: () => {}, busiest: () => 0, stop: () => {} }
beforeAll(async () => {
  store = await callStore()
  ingest = store.ingest()
  tenantId = await store.newTenant()
  labels = createTenantLabels(labelStore(store.pool(), undefined), 0)
  const keys = createTokenKeys()
  await keys.read(store.pool())
  const none = async () => {}
  const primary = createPrimaryServer()
  tokens = createTokens({ keys, primary, readKeys: none, askPrimary: none })
  const app = await buildApp({
    log: createLog({ level: 'silent', instanceId: 'test' }),
    metrics: ingest.metrics,
    limits: { bodyBytes: 1_048_576, requestTimeoutMs: 30_000, requestsInFlight: 1_000, bodiesBytes: 100_000_000 },
    access: {
      authenticator: {
        authenticate: async () => ({ keyId: 'key', tenantId, scopes: new Set(['events:write'] as const) }),
        stillValid: async () => true,
      },
      rates,
      metrics: ingest.metrics,
    },
    health: createHealth('test', () => ({})),
    surface: { publicMetrics: true, publicDocs: true, corsOrigins: new Set() },
    capabilities: [callRoutes({ ingest, tokens, rates, labels })],
  })
  http = app.http
})
afterAll(async () => {
  await http.close()
  await store.close()
})

const post = (url: string, payload: object | string) =>
  http.inject({ method: 'POST', url, headers: { 'x-api-key': 'k', 'content-type': 'application/json' }, payload })

const body = (fields: object = {}) => ({
  eventId: crypto.randomUUID(),
  callId: 'c1',
  state: 'RINGING',
  occurredAt: new Date().toISOString(),
  ...fields,
})

test.each([ROUTES.demoCallEvent, ROUTES.callEvent])(
  '%s answers 201, and 200 when it was stored before',
  async (url) => {
    const event = body({ callId: `of ${url}` })
    const first = await post(url, event)
    expect(first.statusCode).toBe(201)
    expect(first.json()).toEqual({
      ...{ eventId: event.eventId, callId: event.callId, outcome: 'applied', callState: 'RINGING' },
      position: first.headers[HEADERS.position],
    })
    const again = await post(url, event)
    expect(again.statusCode).toBe(200)
    expect(again.json()).toMatchObject({ outcome: 'duplicate' })
    const late = await post(url, body({ callId: event.callId, state: 'INITIATED' }))
    expect([late.statusCode, late.json().outcome]).toEqual([201, 'late'])
  },
)

test('what is wrong is answered as a problem: 400, 409, 422', async () => {
  const event = body()
  await post(ROUTES.callEvent, event)
  for (const [sent, status, code] of [
    [{ ...event, callId: 'other' }, 409, 'event-conflict'],
    [body({ state: 'RANG' }), 400, 'unknown-state'],
    [body({ occurredAt: '2020-01-01T00:00:00Z' }), 422, 'time-out-of-range'],
    [[], 400, 'malformed-body'],
    ['{"eventId":', 400, 'malformed-body'],
  ] as const) {
    const answer = await post(ROUTES.callEvent, sent)
    expect(answer.headers['content-type']).toMatch('application/problem+json')
    expect([answer.statusCode, answer.json().code]).toEqual([status, code])
  }
})

test('in a batch each event has its own outcome, in the order given', async () => {
  const [first, stored] = [body({ callId: 'batch' }), body()]
  await post(ROUTES.callEvent, stored)
  const answer = await post(ROUTES.callEvents, {
    events: [
      first,
      body({ callId: 'batch', state: 'COMPLETED' }),
      body({ callId: 'batch', state: 'ANSWERED' }),
      first,
      { ...first, to: '+1' },
      stored,
      body({ state: 'RANG' }),
      body({ occurredAt: '2020-01-01T00:00:00Z' }),
      7,
    ],
  })
  expect(answer.statusCode).toBe(200)
  const { results, position } = answer.json()
  expect(results.map((r: { status: number }) => r.status)).toEqual([201, 201, 201, 200, 409, 200, 400, 422, 400])
  expect(results.map((r: { outcome?: string; problem?: { code: string } }) => r.outcome ?? r.problem?.code)).toEqual([
    ...['applied', 'applied', 'late', 'duplicate', 'event-conflict', 'duplicate'],
    ...['unknown-state', 'time-out-of-range', 'malformed-body'],
  ])
  expect(results[0]).toEqual({ eventId: first.eventId, status: 201, outcome: 'applied', callState: 'COMPLETED' })
  expect(results[6].problem.errors).toMatchObject([{ field: 'state' }])
  expect(position).toBe(answer.headers[HEADERS.position])
})

test('with EVENTS_KEEP_ASIDE an event whose time is out of range is kept once, as it was sent, and in no call', async () => {
  const aside = Fastify()
  aside.decorateRequest('principal')
  aside.addHook('onRequest', async (request) => {
    request.principal = { keyId: 'key', tenantId, scopes: new Set(['events:write'] as const) }
  })
  aside.setErrorHandler((error: Problem, _, reply) =>
    reply.code(error.status).send({ code: error.code, detail: error.message }),
  )
  await aside.register(callRoutes({ ingest, tokens, rates, labels, keepAside: createKeepAside(store.pool()) }))
  const send = (url: string, payload: object) => aside.inject({ method: 'POST', url, payload })
  const [old, ahead, good] = [
    body({ callId: 'aside', occurredAt: '2020-01-01T00:00:00Z', metadata: { note: 'kept' } }),
    body({ callId: 'aside', occurredAt: '2200-01-01T00:00:00Z' }),
    body(),
  ]
  for (let i = 0; i < 2; i++) {
    const answer = await send(ROUTES.callEvent, old)
    expect([answer.statusCode, answer.json().code]).toEqual([422, 'event-kept-aside'])
  }
  const batch = await send(ROUTES.callEvents, { events: [old, good, ahead, body({ state: 'RANG' })] })
  expect(batch.json().results.map((r: { problem?: { code: string } }) => r.problem?.code)).toEqual([
    'event-kept-aside',
    undefined,
    'event-kept-aside',
    'unknown-state',
  ])
  expect(batch.json().results[0]).not.toHaveProperty('refusal')
  // Another event with the id of one that is kept is not acknowledged as kept.
  const other = { ...old, metadata: { note: 'another' } }
  const conflict = await send(ROUTES.callEvent, other)
  expect([conflict.statusCode, conflict.json().code]).toEqual([409, 'event-conflict'])
  const twice = body({ callId: 'aside', occurredAt: '2020-01-01T00:00:00Z' })
  const mixed = await send(ROUTES.callEvents, { events: [good, twice, other, { ...twice, callId: 'other' }, old] })
  expect(mixed.json().results.map((r: { problem?: { code: string } }) => r.problem?.code)).toEqual([
    undefined,
    'event-kept-aside',
    'event-conflict',
    'event-conflict',
    'event-kept-aside',
  ])
  const kept = await store.query('select body from hopwhistle.events_aside where tenant_id = $1', [tenantId])
  expect(kept).toEqual(expect.arrayContaining([{ body: twice }]))
  expect(kept).toEqual(expect.arrayContaining([{ body: old }, { body: ahead }]))
  expect(kept).toHaveLength(3)
  expect((await store.calls(tenantId)).has('aside')).toBe(false)

  await store.query('alter function hopwhistle.keep_events_aside rename to gone')
  expect((await send(ROUTES.callEvent, ahead)).statusCode, 'not kept: send it again').toBe(503)
  const again = await send(ROUTES.callEvents, { events: [ahead] })
  expect(again.json().results).toMatchObject([{ status: 503, problem: { code: 'database-unavailable' } }])
  await aside.close()
})

test('a batch is 1 to 500 events and nothing else', async () => {
  const many = (n: number) => ({ events: Array.from({ length: n }, () => body()) })
  expect((await post(ROUTES.callEvents, many(500))).json().results).toHaveLength(500)
  for (const [sent, message] of [
    [many(0), 'has 0 events; it must have 1 to 500'],
    [many(501), 'has 501 events; it must have 1 to 500'],
    [{ events: {} }, 'is not an array; it must have 1 to 500'],
  ] as const) {
    const answer = await post(ROUTES.callEvents, sent)
    expect(answer.statusCode).toBe(400)
    expect(answer.json().errors).toEqual([{ field: 'events', message }])
  }
  expect((await post(ROUTES.callEvents, { ...many(1), more: 1 })).json().errors).toMatchObject([{ field: 'more' }])
})
