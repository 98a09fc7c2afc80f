/** Exports over real connections: what a slow, a stuck and a gone client cost, how many run, and how each of them ends. */
import { once } from 'node:events'
import { get as httpGet, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { connectPostgres } from '../../../platform/test-support/connect-postgres.ts'
import { freshDatabase, type TestDatabase } from '../../../platform/test-support/fresh-database.ts'
import { ownPostgres } from '../../../platform/test-support/own-postgres.ts'
import { seedCalls } from '../reporting/seed-calls.ts'
import { anEvent, get, type Platform, post, type Running, runningPlatform, type Tenant } from './running-platform.ts'

const REQUEST_TIMEOUT_MS = 1_500
/** Some 20 MB: more than the kernel takes off the hands of an instance. */
const CALLS = 40_000

/** Replay is held up and locks are taken here. */
let postgres: Awaited<ReturnType<typeof ownPostgres>>
let database: TestDatabase
let platform: Platform
let acme: Tenant
let replica: pg.Client
beforeAll(async () => {
  postgres = await ownPostgres()
  database = await freshDatabase(postgres)
  replica = await connectPostgres(database.ownerReplicaUrl)
  platform = await runningPlatform(1, { REQUEST_TIMEOUT_MS: String(REQUEST_TIMEOUT_MS) }, database)
  acme = await platform.newTenant()
  await seedCalls(platform.query, acme.id, CALLS)
  await database.replicaCaughtUp()
  const isRead = async () => (await get(at(), ROUTES.reportCalls, acme.key)).body.source === 'replica'
  await waitUntil('the replica to be read', isRead, { timeoutMs: 20_000 })
}, 120_000)
afterAll(async () => {
  await platform.close()
  await postgres.stop()
})

const at = (): Running => platform.instances[0]!
const WAIT = { timeout: 20_000, interval: 50 }

/** An export whose body nobody reads yet. */
async function open(tenant = acme, query = '', from = at()): Promise<IncomingMessage> {
  const headers = { [HEADERS.apiKey]: tenant.key, accept: 'application/x-ndjson' }
  return waitUntil(
    'an export to begin',
    async () => {
      const request = httpGet(`${from.url}${ROUTES.reportCalls}?${query}`, { headers, agent: false })
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      // Some tests cut it.
      response.on('error', () => {})
      if (response.statusCode === 200) return response
      response.destroy()
      // The one before may end a moment after its snapshot did.
      expect(response.statusCode).toBe(429)
      return undefined
    },
    { timeoutMs: 20_000, everyMs: 50 },
  )
}
const ended = (response: IncomingMessage) => new Promise<void>((resolve) => void response.once('close', resolve))
type Line = { readonly callId: string; readonly cursor: string | null }
const parse = (body: string): Line[] =>
  body
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))

/** What exports do on the replica. */
async function backends() {
  const { rows } = await replica.query<{ state: string; changed: string; xmin: string | null }>(
    `select state, state_change::text as changed, backend_xmin::text as xmin from pg_stat_activity
     where datname = current_database() and application_name like '%exports' order by pid`,
  )
  return rows
}
const snapshots = async () => (await backends()).filter(({ state }) => state !== 'idle').length

test('a client that reads nothing stops the reading from Postgres; it is cut after a time, and its snapshot ends', async () => {
  const response = await open()
  let before = ''
  // Once the kernel takes no more.
  await expect
    .poll(async () => {
      const [one] = await backends()
      const isSame = one?.state === 'idle in transaction' && one.changed === before
      before = one?.changed ?? ''
      return isSame
    }, WAIT)
    .toBe(true)
  expect(await snapshots()).toBe(1)
  const isCut = ended(response)
  await expect.poll(snapshots, WAIT).toBe(0)
  response.resume()
  await isCut
  expect(response.complete).toBe(false)
})

test('an export is as of one moment: what is written while it is read is not in it', async () => {
  const patient = await runningPlatform(1, {}, database)
  try {
    const response = await open(acme, '', patient.instances[0])
    await waitUntil('the first snapshot', async () => (await snapshots()) === 1, { timeoutMs: 20_000 })
    // Older than all others, so that it would be on the last page.
    const oldest = anEvent('COMPLETED', { occurredAt: new Date(Date.now() - 30 * 3_600_000).toISOString() })
    expect((await post(at(), oldest, acme.key)).status).toBe(201)
    await database.replicaCaughtUp()
    const lines = parse(await text(response))
    expect(lines).toHaveLength(CALLS)
    expect(lines.at(-1)!.cursor).toBeNull()
    const later = parse(await text(await open(acme, `cursor=${lines.at(-2)!.cursor}`)))
    expect(later.map(({ callId }) => callId)).toEqual([lines.at(-1)!.callId, oldest.callId])
    await platform.query('delete from hopwhistle.calls where call_id = $1', [oldest.callId])
    await database.replicaCaughtUp()
  } finally {
    await patient.close()
  }
})

test('a client that is slow is not cut, however long it takes, while it reads', { timeout: 60_000 }, async () => {
  const response = await open()
  const startedAt = performance.now()
  let body = ''
  response.setEncoding('utf8')
  for await (const chunk of response) {
    body += chunk
    if (performance.now() - startedAt < 3 * REQUEST_TIMEOUT_MS) await sleep(25)
  }
  expect(performance.now() - startedAt).toBeGreaterThan(3 * REQUEST_TIMEOUT_MS)
  expect(response.complete).toBe(true)
  expect(parse(body)).toHaveLength(CALLS)
})

test('an export that is abandoned gives its connection back at once', async () => {
  for (let i = 0; i < 5; i++) {
    const response = await open()
    await once(response, 'readable')
    response.destroy()
    await expect.poll(snapshots, WAIT).toBe(0)
  }
  expect((await backends()).length).toBeLessThanOrEqual(2)
})

test('one tenant has one export at a time and an instance two; more are 429, and a report is none of them', async () => {
  const [second, third] = [await platform.newTenant(), await platform.newTenant()]
  await seedCalls(platform.query, second.id, CALLS)
  await database.replicaCaughtUp()
  const refusals = async () =>
    Number(
      /{reason="too-many-exports"} (\d+)/.exec(await (await fetch(`${at().adminUrl}${ROUTES.metrics}`)).text())?.[1],
    )
  const before = await refusals()
  const running = [await open(acme), await open(second)]
  const asLines = { accept: 'text/csv' }
  for (const [tenant, whose] of [
    [acme, 'the tenant'],
    [third, 'this instance'],
  ] as const) {
    const refused = await get(at(), ROUTES.reportCalls, tenant.key, asLines)
    expect(refused).toMatchObject({ status: 429 })
    expect(refused.body).toMatchObject({ code: 'too-many-exports', detail: expect.stringContaining(whose) })
    expect(refused.headers.get('retry-after')).toBe('5')
    expect((await get(at(), ROUTES.reportCalls, tenant.key)).status).toBe(200)
    expect((await get(at(), `${ROUTES.reportMetrics}?granularity=day`, tenant.key, asLines)).status).toBe(200)
  }
  expect(await refusals()).toBe(before + 2)
  for (const one of running) one.destroy()
  await expect.poll(async () => (await get(at(), ROUTES.reportCalls, third.key, asLines)).status, WAIT).toBe(200)
})

test('HEAD says what an export is, and makes none', async () => {
  const running = await open()
  const head = await fetch(`${at().url}${ROUTES.reportCalls}`, {
    method: 'HEAD',
    headers: { [HEADERS.apiKey]: acme.key, accept: 'text/csv' },
  })
  expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8; header=present'])
  running.destroy()
  await expect.poll(snapshots, WAIT).toBe(0)
})

test('what takes longer than allowed ends after a whole line, and its cursor asks for the rest', async () => {
  const brief = await runningPlatform(1, { EXPORT_SECONDS_MAX: '1' }, database)
  try {
    const ids: string[] = []
    let requests = 0
    for (let cursor: string | null = ''; cursor !== null; requests++) {
      const response = await open(acme, cursor === '' ? '' : `cursor=${cursor}`, brief.instances[0])
      response.setEncoding('utf8')
      let body = ''
      for await (const chunk of response) {
        body += chunk
        await sleep(2)
      }
      expect(response.complete).toBe(true)
      const lines = parse(body)
      ids.push(...lines.map(({ callId }) => callId))
      cursor = lines.at(-1)!.cursor
    }
    expect(requests).toBeGreaterThan(1)
    expect(ids).toHaveLength(CALLS)
    expect(ids).toEqual([...new Set(ids)].toSorted())
  } finally {
    await brief.close()
  }
})

test('an instance that stops ends its exports after a whole line, where another goes on', async () => {
  const leaving = await runningPlatform(1, {}, database)
  const response = await open(acme, '', leaving.instances[0])
  response.setEncoding('utf8')
  await once(response, 'readable')
  const startedAt = performance.now()
  const closed = leaving.close()
  const lines = parse(await text(response))
  await closed
  expect(performance.now() - startedAt).toBeLessThan(5_000)
  expect(lines.length).toBeLessThan(CALLS)
  const rest = parse(await text(await open(acme, `cursor=${lines.at(-1)!.cursor}`)))
  expect(lines.length + rest.length).toBe(CALLS)
  expect(rest[0]!.callId > lines.at(-1)!.callId).toBe(true)
})

test('a lock that the replica has to repeat ends an export after max_standby_streaming_delay; its cursor asks for the rest', async () => {
  // Nothing else ends it: the client may read nothing for half a minute.
  const patient = await runningPlatform(1, {}, database)
  const set = async (value: string) => {
    await replica.query(`alter system ${value}`)
    await replica.query('select pg_reload_conf()')
  }
  await set(`set max_standby_streaming_delay = '300ms'`)
  try {
    const response = await open(acme, '', patient.instances[0])
    // As a migration does.
    await platform.query('begin; lock table hopwhistle.calls in access exclusive mode; commit')
    await expect.poll(snapshots, WAIT).toBe(0)
    let body = ''
    response.setEncoding('utf8')
    response.on('data', (chunk) => {
      body += chunk
    })
    await ended(response)
    expect(response.complete).toBe(false)
    const lines = parse(body)
    expect(lines.length).toBeLessThan(CALLS)
    const rest = parse(await text(await open(acme, `cursor=${lines.at(-1)!.cursor}`)))
    expect(lines.length + rest.length).toBe(CALLS)
  } finally {
    await set('reset max_standby_streaming_delay')
    await patient.close()
  }
})

test('an export keeps the rows that it sees from the vacuum of the primary, and no longer than it lasts', async () => {
  const slots = async () =>
    (await platform.query<{ xmin: string | null }>('select backend_xmin::text as xmin from pg_stat_replication'))[0]
      ?.xmin ??
    (await platform.query<{ xmin: string | null }>('select xmin::text as xmin from pg_replication_slots'))[0]?.xmin
  const response = await open()
  const held = await waitUntil(
    'a snapshot',
    async () => (await backends()).find(({ xmin }) => xmin !== null)?.xmin ?? false,
    {
      timeoutMs: 20_000,
    },
  )
  // The primary moves on.
  for (let i = 0; i < 3; i++)
    await platform.query('create table if not exists public.moves_on (); drop table public.moves_on')
  await expect.poll(slots, WAIT).toBe(held)
  response.destroy()
  await expect.poll(slots, WAIT).not.toBe(held)
})

test('without its replica an export is refused before anything is sent; reports go on from the primary', async () => {
  const apart = await runningPlatform(
    1,
    { DATABASE_REPLICA_URL: 'postgres://hopwhistle_api:none@127.0.0.1:1/none' },
    database,
  )
  try {
    const refused = await get(apart.instances[0]!, ROUTES.reportCalls, acme.key, { accept: 'text/csv' })
    expect(refused).toMatchObject({ status: 503 })
    expect(refused.body).toMatchObject({ code: 'export-unavailable' })
    expect(refused.headers.get('retry-after')).toBe('5')
    expect((await get(apart.instances[0]!, ROUTES.reportCalls, acme.key)).body.source).toBe('primary')
  } finally {
    await apart.close()
  }
  // An installation that has no replica reads the primary.
  const alone = await runningPlatform(1, { DATABASE_REPLICA_URL: '' }, database)
  try {
    const response = await open(acme, 'limit=500', alone.instances[0])
    expect(response.headers[HEADERS.source]).toBe('primary')
    expect(parse(await text(response))).toHaveLength(500)
  } finally {
    await alone.close()
  }
})

const PAGE = 'https://app.example.com'

test('a page of a named origin reads an export with a short-lived token, and all that it says; another page does not', async () => {
  const open = await runningPlatform(1, { CORS_ORIGINS: PAGE }, database)
  try {
    const to = open.instances[0]!
    const made = await post(to, { scopes: ['reports:read'], seconds: 60 }, acme.key, ROUTES.tokens)
    const { token } = made.body
    const url = `${to.url}${ROUTES.reportCalls}?limit=3`
    // What a browser asks first, as fetch(url, { headers: { authorization, accept } }) makes it.
    const preflight = await fetch(url, {
      method: 'OPTIONS',
      headers: {
        origin: PAGE,
        'access-control-request-method': 'GET',
        'access-control-request-headers': `authorization,${HEADERS.position}`,
      },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-origin')).toBe(PAGE)
    const allowed = preflight.headers.get('access-control-allow-headers')
    for (const header of ['authorization', HEADERS.position]) expect(allowed).toContain(header)
    const asPage = (origin: string, accept: string, key = token) =>
      fetch(url, { headers: { origin, accept, authorization: `Bearer ${key}` } })
    for (const accept of ['text/csv', 'application/x-ndjson']) {
      const answer = await asPage(PAGE, accept)
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, PAGE])
      expect(answer.headers.get('cross-origin-resource-policy')).toBe('cross-origin')
      const exposed = answer.headers.get('access-control-expose-headers')?.split(', ')
      for (const header of [HEADERS.asOf, HEADERS.source, 'content-disposition', 'retry-after']) {
        expect(exposed).toContain(header)
      }
      expect(answer.headers.get('vary')).toContain('origin')
      expect((await answer.text()).split('\n').length).toBeGreaterThan(3)
    }
    // Also what refuses is for the page to read.
    for (const [accept, key, status] of [
      ['application/xml', token, 406],
      ['text/csv', 'unknown', 401],
    ] as const) {
      const refused = await asPage(PAGE, accept, key)
      expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([status, PAGE])
      await refused.text()
    }
    const other = await asPage('https://evil.example.com', 'text/csv')
    expect(other.headers.get('access-control-allow-origin')).toBeNull()
    await other.text()
  } finally {
    await open.close()
  }
  const byDefault = await fetch(`${at().url}${ROUTES.reportCalls}?limit=1`, {
    headers: { origin: PAGE, accept: 'text/csv', [HEADERS.apiKey]: acme.key },
  })
  expect(byDefault.headers.get('access-control-allow-origin')).toBeNull()
  await byDefault.text()
})
