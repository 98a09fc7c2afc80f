/** Goes through docs/errors.md and makes each of its lines happen, on whole instances. */
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { json, text } from 'node:stream/consumers'
import { EVENT_BOUNDS } from '@hopwhistle/contract/calls.ts'
import { LIVE_SUBPROTOCOL } from '@hopwhistle/contract/live.ts'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import type pg from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { connectPostgres } from '../../../platform/test-support/connect-postgres.ts'
import { freshDatabase } from '../../../platform/test-support/fresh-database.ts'
import { startTcpProxy, type TcpProxy } from '../../../platform/test-support/tcp-proxy.ts'
import { createSecretBox } from '../../src/access/secret-box.ts'
import { createProviderCallback } from '../../src/postgres/keys/provider-callbacks.ts'
import { createTokenKeys, createTokens } from '../../src/postgres/tokens.ts'
import { newCallback, sealedFor } from '../../src/providers/callbacks.ts'
import { anEvent, type Platform, type Running, runningPlatform, type Tenant } from '../platform/running-platform.ts'

type Refusal = { readonly status: number; readonly headers: Record<string, unknown>; readonly body: unknown }

const SECRETS_KEY = randomBytes(32)
/** Small limits, so that a test can fill them. */
const SMALL = {
  REQUEST_TIMEOUT_MS: '2000',
  MAX_REQUESTS_IN_FLIGHT: '8',
  INGEST_QUEUE_MAX: '2',
  MAX_WEBSOCKETS: '1',
  TENANT_RATE_PER_SECOND: '20',
  MAX_BODY_BYTES: '5000',
  WEBHOOK_KEYS: Buffer.alloc(32, 1).toString('base64'),
  PROVIDER_SECRETS_KEY: SECRETS_KEY.toString('base64'),
}

let platform: Platform
let tenant: Tenant
let proxy: TcpProxy
let owner: pg.Client
beforeAll(async () => {
  const database = await freshDatabase()
  proxy = await startTcpProxy(database.postgres.primaryPort)
  platform = await runningPlatform(
    1,
    { ...SMALL, DATABASE_URL: proxy.through(database.apiUrl), DATABASE_REPLICA_URL: '' },
    database,
  )
  tenant = await platform.newTenant()
  owner = await connectPostgres(database.ownerUrl)
})
afterAll(async () => {
  await platform.close()
  await proxy.close()
})

const MIB = 1024 * 1024
const times = <T>(count: number, one: () => T) => Array.from({ length: count }, one)
const at = (): Running => platform.instances[0]!
const port = () => Number(new URL(at().url).port)

async function ask(path: string, given: { method?: string; headers?: object; body?: unknown; key?: string } = {}) {
  const { method = given.body === undefined ? 'GET' : 'POST', body, key = tenant.key } = given
  const response = await fetch(at().url + path, {
    method,
    headers: { 'content-type': 'application/json', 'x-api-key': key, ...given.headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const answer = await response.text()
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: answer === '' ? {} : JSON.parse(answer),
  }
}
const send = (body: unknown, given: object = {}) => ask(ROUTES.callEvent, { body, ...given })
const call = (key?: string) => ask('/api/v1/calls/none', key === undefined ? {} : { key })
/** One key each of new tenants. */
const keysOfTenants = async (count: number) =>
  (await Promise.all(times(count, () => platform.newTenant()))).map(({ key }) => key)

const raw = (...lines: string[]) => rawTo(port(), ...lines)

async function rawTo(to: number, ...lines: string[]): Promise<Refusal> {
  const socket = connect(to, '127.0.0.1')
  socket.write(lines.join('\r\n'))
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n')
  const [first = '', ...rest] = head.split('\r\n')
  const headers = Object.fromEntries(rest.map((line) => line.split(': ')).map(([name = '', value]) => [name, value]))
  return { status: Number(first.split(' ')[1]), headers, body: JSON.parse(body) }
}

/** How an upgrade is refused. */
function upgrade(to = at(), key = tenant.key): Promise<Refusal> {
  const asked = request({
    port: new URL(to.url).port,
    path: ROUTES.live,
    headers: {
      connection: 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-version': '13',
      'x-api-key': key,
    },
  })
  asked.end()
  return new Promise((resolve, reject) => {
    asked.on('error', reject)
    asked.on('upgrade', (_response, socket) => {
      socket.destroy()
      reject(new Error('the upgrade was not refused'))
    })
    asked.on('response', async (response) =>
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: await json(response) }),
    )
  })
}

async function openSocket(to = at()): Promise<WebSocket> {
  const socket = new WebSocket(to.url.replace('http', 'ws') + ROUTES.live, LIVE_SUBPROTOCOL, {
    headers: { 'x-api-key': tenant.key },
  })
  await once(socket, 'open')
  return socket
}

/** Nothing that touches calls is answered while `during` runs. */
async function whileCallsAreLocked<T>(during: () => Promise<T>): Promise<T> {
  await owner.query('begin; lock table hopwhistle.calls, hopwhistle.call_events in access exclusive mode')
  try {
    return await during()
  } finally {
    await owner.query('rollback')
  }
}

/** Another instance beside the first one, with other settings. */
async function withInstance<T>(settings: Record<string, string>, use: (instance: Running) => Promise<T>): Promise<T> {
  const beside = await runningPlatform(1, { ...SMALL, ...settings }, platform.database)
  try {
    return await use(beside.instances[0]!)
  } finally {
    await beside.close()
  }
}

const is = (code: string) => (answer: Refusal) => (answer.body as { code?: string }).code === code

/** Many at once, of which one is refused so. */
async function oneOf(code: string, answers: readonly Promise<Refusal>[]): Promise<Refusal> {
  const refused = (await Promise.all(answers)).find(is(code))
  if (refused === undefined) throw new Error(`none of ${answers.length} was answered ${code}`)
  return refused
}

/** As a token that was given out before the database was restored. */
async function outdatedPosition(): Promise<string> {
  const keys = createTokenKeys()
  await keys.read(owner)
  const nothing = async () => {}
  const before = { history: () => 'another system/1' }
  return createTokens({ keys, primary: before, readKeys: nothing, askPrimary: nothing }).sealPosition(1n)
}

const A_WEBHOOK = { url: 'https://nowhere.invalid/', patterns: ['call.*'] }
const webhookKey = async () => (await platform.newTenant(['webhooks:write'])).key

const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString()
const stale = () => daysAgo(400)

/** The path of one. */
async function callbackOfTwilio(): Promise<string> {
  const { callback, callbackHash } = newCallback()
  const id = randomUUID()
  await createProviderCallback(owner, {
    ...{ id, tenantId: tenant.id, provider: 'twilio', name: 'a test', callbackHash },
    sealedSecret: createSecretBox([SECRETS_KEY]).seal('a secret', sealedFor(id, 'twilio')),
  })
  return ROUTES.eventsFromTwilio.replace(':callback', callback)
}

const HAPPENS: Readonly<Record<string, () => Promise<Refusal>>> = {
  'invalid-request': () => send({ ...anEvent('RINGING'), callId: 7 }),
  'malformed-body': () => send('{'),
  'malformed-request': () => raw('GET /api/v1/calls/%zz HTTP/1.1', 'host: x', 'connection: close', '', ''),
  'unknown-state': () => send({ ...anEvent('RINGING'), state: 'RANG' }),
  'invalid-cursor': () => ask(`${ROUTES.reportCalls}?cursor=none`),
  'invalid-position': () => ask(`${ROUTES.reportCalls}?position=none`),
  unauthorized: () => ask(ROUTES.reportCalls, { key: 'unknown' }),
  'forbidden-tenant': async () =>
    ask(ROUTES.reportCalls, { headers: { 'x-tenant-id': (await platform.newTenant()).id } }),
  'missing-scope': async () => ask(ROUTES.reportCalls, { key: (await platform.newTenant(['events:write'])).key }),
  'key-required': async () => {
    const { token } = (await ask(ROUTES.tokens, { body: {} })).body
    return ask(ROUTES.tokens, { body: {}, key: token })
  },
  'not-acceptable': () => ask(ROUTES.reportCalls, { headers: { accept: 'application/xml' } }),
  'wrong-signature': async () => ask(await callbackOfTwilio(), { body: {}, headers: { 'x-twilio-signature': 'none' } }),
  'unknown-callback': () => ask(ROUTES.eventsFromTwilio.replace(':callback', `hwc_${'x'.repeat(32)}`), { body: {} }),
  'call-not-found': call,
  'route-not-found': () => ask('/none'),
  'method-not-allowed': () => ask(ROUTES.reportCalls, { body: {} }),
  'request-incomplete': () =>
    raw(
      `POST ${ROUTES.callEvent} HTTP/1.1`,
      'host: x',
      `x-api-key: ${tenant.key}`,
      'content-type: application/json',
      'content-length: 100',
      '',
      '{',
    ),
  'event-conflict': async () => {
    const event = anEvent('RINGING')
    expect((await send(event)).status).toBe(201)
    return send({ ...event, state: 'BUSY' })
  },
  'token-outdated': async () => ask(`${ROUTES.reportCalls}?position=${await outdatedPosition()}`),
  'changes-forgotten': async () => {
    const since = (at: string) => owner.query('update hopwhistle.call_changes_kept set since = $1', [at])
    await since('now')
    const refused = await ask(`${ROUTES.reportCalls}?updatedSince=${new Date(Date.now() - 3_600_000).toISOString()}`)
    await since('-infinity')
    return refused
  },
  'body-too-large': () => send({ ...anEvent('RINGING'), metadata: { long: 'x'.repeat(5_000) } }),
  'unsupported-media-type': () => send('a=b', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
  'expectation-failed': () => raw('GET /livez HTTP/1.1', 'host: x', 'expect: wonders', '', ''),
  'time-out-of-range': () => send(anEvent('RINGING', { occurredAt: stale() })),
  'unknown-time-zone': () => ask(`${ROUTES.reportMetrics}?granularity=day&timezone=Berlin`),
  'labels-refused': () => send(anEvent('RINGING', { labels: { nobody_declared_it: 'x' } })),
  'report-too-large': () => ask(`${ROUTES.reportMetrics}?granularity=day&from=${daysAgo(399)}&groupBy=from&limit=100`),
  'upgrade-required': () => ask(ROUTES.live),
  'headers-too-large': () => raw('GET /livez HTTP/1.1', 'host: x', `x: ${'y'.repeat(20_000)}`, '', ''),
  'rate-limited': async () => {
    const flood = await platform.newTenant()
    return oneOf(
      'rate-limited',
      times(60, () => ask(ROUTES.live, { key: flood.key })),
    )
  },
  'too-many-tokens': async () => {
    const { id, key } = await platform.newTenant()
    await owner.query(
      `insert into hopwhistle.browser_tokens (token_hash, key_id, scopes, ends_at)
       select sha256(i::text::bytea), k.id, '{live:read}', now() + interval '1 hour'
       from hopwhistle.api_keys k, generate_series(1, 10000) i where k.tenant_id = $1`,
      [id],
    )
    return ask(ROUTES.tokens, { body: {}, key })
  },
  'webhook-not-found': async () => ask(`${ROUTES.webhooks}/none`, { key: await webhookKey() }),
  'too-many-webhooks': async () => {
    const key = await webhookKey()
    for (let made = 0; made < 10; made++) {
      expect((await ask(ROUTES.webhooks, { key, body: A_WEBHOOK })).status).toBe(201)
    }
    return ask(ROUTES.webhooks, { key, body: A_WEBHOOK })
  },
  'offset-gone': async () => {
    const key = await webhookKey()
    const { id, offset } = (await ask(ROUTES.webhooks, { key, body: A_WEBHOOK })).body
    await owner.query('update hopwhistle.webhooks set kept_from = kept_from + 1')
    return ask(`${ROUTES.webhooks}/${id}/replay`, { key, body: { after: offset } })
  },
  'webhooks-off': () =>
    withInstance({ WEBHOOK_KEYS: '' }, async ({ url }) => {
      const answer = await fetch(url + ROUTES.webhooks, { headers: { 'x-api-key': await webhookKey() } })
      return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.json() }
    }),
  'event-kept-aside': () =>
    withInstance({ EVENTS_KEEP_ASIDE: 'true' }, async ({ url }) => {
      const headers = { 'content-type': 'application/json', 'x-api-key': tenant.key }
      const body = JSON.stringify(anEvent('RINGING', { occurredAt: stale() }))
      const answer = await fetch(url + ROUTES.callEvent, { method: 'POST', headers, body })
      return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.json() }
    }),
  'call-full': async () => {
    const first = anEvent('RINGING')
    expect((await send(first)).status).toBe(201)
    await owner.query('update hopwhistle.calls set sequence = $2 where call_id = $1', [
      first.callId,
      EVENT_BOUNDS.eventsPerCall,
    ])
    return send(anEvent('ANSWERED', { callId: first.callId }))
  },
  'over-share': () =>
    whileCallsAreLocked(() =>
      oneOf(
        'over-share',
        times(12, () => call()),
      ),
    ),
  'too-many-exports': () =>
    whileCallsAreLocked(() =>
      oneOf(
        'too-many-exports',
        times(2, () => ask(ROUTES.reportCalls, { headers: { accept: 'text/csv' } })),
      ),
    ),
  'export-unavailable': () =>
    withInstance({ DATABASE_REPLICA_URL: 'postgres://nobody:none@127.0.0.1:1/none' }, async ({ url }) => {
      const answer = await fetch(url + ROUTES.reportCalls, { headers: { accept: 'text/csv', 'x-api-key': tenant.key } })
      return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.json() }
    }),
  memory: () =>
    withInstance({ MEMORY_LIMIT_BYTES: String(512 * MIB), MAX_BODY_BYTES: String(20 * MIB) }, async ({ url }) => {
      // Of three bodies that are announced there is room for two.
      const announced = (await keysOfTenants(3)).map((key) =>
        rawTo(
          Number(new URL(url).port),
          `POST ${ROUTES.callEvent} HTTP/1.1`,
          'host: x',
          `x-api-key: ${key}`,
          'content-type: application/json',
          `content-length: ${20 * MIB}`,
          '',
          '',
        ),
      )
      return oneOf('memory', announced)
    }),
  'requests-in-flight': async () => {
    const keys = await keysOfTenants(12)
    return whileCallsAreLocked(() => oneOf('requests-in-flight', keys.map(call)))
  },
  'ingest-overloaded': async () => {
    const keys = await keysOfTenants(6)
    return whileCallsAreLocked(() =>
      oneOf(
        'ingest-overloaded',
        keys.map((key) => send(anEvent('RINGING'), { key })),
      ),
    )
  },
  websockets: async () => {
    const [other] = await keysOfTenants(1)
    const socket = await openSocket()
    try {
      return await upgrade(at(), other)
    } finally {
      socket.terminate()
    }
  },
  'database-unavailable': async () => {
    proxy.set('cut')
    try {
      return await call()
    } finally {
      proxy.set('open')
    }
  },
  'request-timeout': () => whileCallsAreLocked(() => call()),
  internal: async () => {
    await owner.query('alter table hopwhistle.calls rename to moved')
    try {
      // Once the replica, which answers, has it as well.
      await expect.poll(async () => (await call()).status).not.toBe(404)
      return await call()
    } finally {
      await owner.query('alter table hopwhistle.moved rename to calls')
    }
  },
  'live-unavailable': async () => {
    await platform.redis.stop()
    // The instance knows once its connection has closed.
    return vi.waitFor(() => upgrade(), { timeout: 5_000 })
  },
  'shutting-down': async () => {
    const leaving = await runningPlatform(1, SMALL, platform.database)
    const instance = leaving.instances[0]!
    await openSocket(instance)
    const closed = leaving.close()
    const answer = await upgrade(instance)
    await closed
    return answer
  },
}

const documented = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8')
  .split('\n')
  .map((line) => /^\| `([\w-]+)` \| (\d+) \| ([^|]+) \| (.*) \|$/.exec(line))
  .filter((row) => row !== null)
  .map(([, code = '', status, title, remedy = '']) => ({ code, status: Number(status), title, remedy }))
const order = Object.keys(HAPPENS)

test('every error of the documentation is made to happen', () => {
  expect(documented.map(({ code }) => code).toSorted()).toEqual(order.toSorted())
})

// In the order of HAPPENS: Redis does not come back.
test.each(documented.toSorted((a, b) => order.indexOf(a.code) - order.indexOf(b.code)))(
  '$code happens, with $status',
  async ({ code, status, title, remedy }) => {
    const answer = await HAPPENS[code]!()
    expect(answer.body).toMatchObject({
      type: `urn:hopwhistle:problem:${code}`,
      code,
      status,
      title,
      detail: expect.stringMatching(/.{10}/),
    })
    expect(answer.status).toBe(status)
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
    if (remedy.includes('Retry-After')) expect(answer.headers['retry-after']).toMatch(/^\d+$/)
  },
)
