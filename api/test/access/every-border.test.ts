/**
 * A tenant who knows all about another, and has whatever that one was ever given, tries every route with all of it.
 *
 * Routes and their parameters come from the OpenAPI document: a new one that nobody tries here fails.
 */
import { readFileSync } from 'node:fs'
import { type CallEventBody, EVENT_BOUNDS } from '@hopwhistle/contract/calls.ts'
import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { createPrimaryServer } from '../../src/postgres/primary-server.ts'
import { createTokens } from '../../src/postgres/tokens.ts'
import { filterKey } from '../../src/reporting/calls-filter.ts'
import { CALLS_ORDERS } from '../../src/reporting/calls-order.ts'
import { callsPaged, encodeCursor } from '../../src/reporting/page-cursor.ts'
import {
  type Answer,
  anEvent,
  get,
  type Platform,
  post,
  runningPlatform,
  type Tenant,
} from '../platform/running-platform.ts'

type Operation = { readonly parameters?: readonly { readonly name: string }[]; readonly security?: readonly unknown[] }
const { paths } = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8')) as {
  paths: Record<string, Record<string, Operation>>
}
const OPERATIONS = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    path,
    ...operation,
  })),
)

/** Every text that belongs to the victim has it, so that a search for it finds whatever crosses. */
const MARK = 'acme-only'
const NUMBER = '+12025550111'
const PATH = { calls: ROUTES.reportCalls, metrics: ROUTES.reportMetrics, call: '/api/v1/calls/{callId}' } as const

let platform: Platform
let acme: Tenant
let thief: Tenant
/** What the victim was given. */
let given: { readonly position: string; readonly cursor: string; readonly etags: string }
const events: readonly CallEventBody[] = [0, 1, 2, 3].map((i) =>
  anEvent('COMPLETED', {
    eventId: `${MARK}-event-${i}`,
    callId: `${MARK}-call-${i}`,
    direction: 'outbound',
    from: NUMBER,
    to: NUMBER,
    labels: { campaign: MARK },
    metadata: { note: MARK },
  }),
)
const A_MINUTE_AGO = new Date(Date.now() - 60_000).toISOString()
const at = (i: number) => platform.instances[i % platform.instances.length]!
const call = (callId: string) => PATH.call.replace('{callId}', encodeURIComponent(callId))

beforeAll(async () => {
  platform = await runningPlatform(2)
  acme = await platform.newTenant()
  thief = await platform.newTenant()
  await platform.query(`update hopwhistle.tenants set labels = '{campaign}' where id = any ($1)`, [[acme.id, thief.id]])
  await post(at(0), { events }, acme.key, ROUTES.callEvents)
  const answered = events.map(({ eventId, ...event }, i) => ({
    ...event,
    eventId: `${MARK}-answered-${i}`,
    state: 'ANSWERED',
  }))
  const { body } = await post(at(0), { events: answered }, acme.key, ROUTES.callEvents)
  const later = { [HEADERS.position]: body.position as string }
  const page = await get(at(0), `${PATH.calls}?limit=2`, acme.key, later)
  const answers = [page, await get(at(0), call(`${MARK}-call-0`), acme.key, later)]
  answers.push(await get(at(0), `${PATH.metrics}?granularity=day`, acme.key, later))
  const etags = answers.map(({ headers }) => headers.get('etag')).join(', ')
  given = { position: body.position, cursor: page.body.nextCursor, etags }
  await waitUntil(
    'the feed of changes to have them',
    async () => (await get(at(0), `${PATH.calls}?updatedSince=${A_MINUTE_AGO}`, acme.key)).body.calls.length > 0,
    { timeoutMs: 20_000 },
  )
})
afterAll(() => platform?.close())

/** What each parameter of a report is tried with; the first finds something for the one whose it is. */
const tries = (): Record<string, readonly string[]> => ({
  state: ['COMPLETED'],
  direction: ['outbound'],
  fromNumber: [NUMBER],
  toNumber: [NUMBER],
  startedFrom: ['2020-01-01T00:00:00Z'],
  startedTo: [new Date(Date.now() + 60_000).toISOString()],
  answered: ['true'],
  stale: ['false'],
  talkMinMs: ['0'],
  talkMaxMs: ['8640000000'],
  durationMinMs: ['0'],
  durationMaxMs: ['8640000000'],
  order: CALLS_ORDERS,
  count: ['exact', 'estimate'],
  updatedSince: [A_MINUTE_AGO],
  limit: ['200', '1'],
  cursor: [given.cursor, ...forgedCursors()],
  position: [given.position],
  granularity: ['day', 'hour', 'week', 'month'],
  timezone: ['Asia/Kathmandu', 'UTC'],
  weekStart: ['sunday'],
  from: [new Date(Date.now() - 80 * 86_400_000).toISOString()],
  to: [new Date(Date.now() + 86_400_000).toISOString()],
  label: [`campaign:${MARK}`],
  groupBy: ['label:campaign', 'from', 'to', 'state', 'direction'],
  include: ['callers'],
})

/** By who has read the source, for either tenant, at any call; but the key is only the thief's. */
function forgedCursors(): readonly string[] {
  const none = async () => {}
  const key = { id: 1, secret: Buffer.alloc(32, 'a guess') }
  const keys = { newest: () => key, find: () => key, read: none }
  const tokens = createTokens({ keys, primary: createPrimaryServer(), readKeys: none, askPrimary: none })
  const end = { place: ['2999-01-01 00:00:00', events[0]!.callId], shownUpTo: 0n }
  return [acme.id, thief.id].map((id) => encodeCursor(tokens, callsPaged(id, filterKey({})), end))
}

/** Every query that a report takes: each parameter alone, and what goes with it. */
function queriesOf(path: string): readonly string[] {
  const { parameters = [] } = paths[path]!.get!
  const names = parameters.map(({ name }) => name).filter((name) => !path.includes(`{${name}}`))
  return names.flatMap((name) => {
    const values = tries()[name]
    if (values === undefined) throw new Error(`${path} takes ${name}, which nobody tries here`)
    const needed = path === PATH.metrics ? { granularity: name === 'weekStart' ? 'week' : 'day' } : {}
    const with_ =
      name === 'cursor' ? { limit: '2' } : path === PATH.metrics && name === 'limit' ? { groupBy: 'from' } : {}
    return values
      .filter((value) => path !== PATH.metrics || name !== 'limit' || Number(value) <= 100)
      .map((value) => `${path}?${new URLSearchParams({ ...needed, ...with_, [name]: value })}`)
  })
}

const hasNothingOf = (answer: Answer) => {
  const text = `${JSON.stringify([...answer.headers])} ${JSON.stringify(answer.body)}`
  for (const one of [MARK, NUMBER, acme.id]) expect(text, `${answer.status} ${text}`).not.toContain(one)
}
const headersTried = (): readonly Record<string, string>[] => [
  {},
  { [HEADERS.position]: given.position },
  { 'if-none-match': given.etags },
]

test('every route that needs a key has its test, and refuses requests without one', async () => {
  const closed = OPERATIONS.filter(({ security }) => security?.length !== 0)
  // Tokens: browser-token.test.ts. Webhooks: webhooks.test.ts. Records of switches, and callbacks, which need no key:
  // providers/callbacks.test.ts.
  const reads = [PATH.calls, PATH.metrics, PATH.call, ROUTES.live, ROUTES.labels]
  const elsewhere = [ROUTES.tokens, ROUTES.eventsFromSipCdr, ...WEBHOOKS]
  const tried: readonly string[] = [...reads, ...elsewhere, ...WRITES, ROUTES.labels]
  expect(closed.map(({ path }) => path).sort()).toEqual([...tried].sort())
  for (const { name, path } of closed) {
    const [method = ''] = name.split(' ')
    for (const key of [undefined, `${acme.key}x`, acme.id]) {
      const headers = { 'content-type': 'application/json', ...(key && { [HEADERS.apiKey]: key }) }
      const init = { method, headers, ...(method !== 'GET' && { body: JSON.stringify(events[0]) }) }
      expect((await fetch(at(0).url + path, init)).status, name).toBe(401)
    }
  }
})

test.each([PATH.calls, PATH.metrics])('%s: whatever is asked for, a tenant sees only its own', async (path) => {
  for (const [i, url] of queriesOf(path).entries()) {
    for (const headers of headersTried()) {
      // First by the one whose it is: what nobody finds, a thief who finds nothing proves nothing about.
      const own = await get(at(i), url, acme.key, headers)
      const stolen = await get(at(i), url, thief.key, headers)
      const isOthersCursor = url.includes('cursor=')
      if (!isOthersCursor && own.status === 200) {
        if (path === PATH.metrics) expect(own.body.totals.calls, url).toBe(events.length)
        else expect(JSON.stringify(own.body), url).toContain(MARK)
      }
      expect(isOthersCursor ? [200, 400] : [200], url).toContain(stolen.status)
      hasNothingOf(stolen)
      if (stolen.status !== 200) continue
      expect(stolen.body.count?.value ?? 0, url).toBe(0)
      expect(path === PATH.metrics ? stolen.body.totals.calls : stolen.body.calls.length, url).toBe(0)
      expect(stolen.headers.get('cache-control')).toMatch(/^private/)
      expect(stolen.headers.get('vary')).toContain(HEADERS.apiKey)
    }
  }
})

test.each([PATH.calls, PATH.metrics])('%s as lines: whatever is asked for, a tenant has only its own', async (path) => {
  // A list as lines has no count, and is no feed.
  const urls = queriesOf(path).filter((url) => !/[?&](count|updatedSince)=/.test(url))
  for (const [i, url] of urls.entries()) {
    const own = await get(at(i), url, acme.key, { accept: 'text/csv' })
    const stolen = await get(at(i), url, thief.key, { accept: 'text/csv' })
    hasNothingOf(stolen)
    const isOthersCursor = url.includes('cursor=')
    expect(isOthersCursor ? [200, 400] : [200], url).toContain(stolen.status)
    if (path === PATH.metrics || stolen.status !== 200) continue
    // The header, and nothing after it.
    expect(stolen.body.split('\r\n'), url).toHaveLength(2)
    if (!isOthersCursor && own.status === 200) expect(own.body, url).toContain(MARK)
  }
})

test('a call of another tenant is as if it had never been, with whatever it is asked for', async () => {
  for (const headers of headersTried()) {
    const same = { ...headers, [HEADERS.requestId]: 'same' }
    expect((await get(at(0), call(events[0]!.callId), acme.key, { [HEADERS.position]: given.position })).status).toBe(
      200,
    )
    for (const i of [0, 1]) {
      const [real, guessed] = await Promise.all(
        [events[0]!.callId, 'never-was'].map((id) =>
          get(at(i), `${call(id)}?position=${given.position}`, thief.key, same),
        ),
      )
      expect(real).toMatchObject({ status: 404, body: guessed!.body })
      expect(names(real!)).toEqual(names(guessed!))
    }
  }
})
const names = ({ headers }: Answer) => [...headers.keys()].sort()

test('who claims to be a tenant learns nothing about whether there is one', async () => {
  const claims = [acme.id, acme.id.toUpperCase(), 'ffffffff-ffff-4fff-bfff-ffffffffffff', 'nonsense', '*', '']
  for (const path of [PATH.calls, `${PATH.metrics}?granularity=day`, call(events[0]!.callId)]) {
    const answers = await Promise.all(
      claims.map((claim) => get(at(0), path, thief.key, { [HEADERS.tenantId]: claim, [HEADERS.requestId]: 'same' })),
    )
    expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body]))).size, path).toBe(1)
    expect(answers[0]!.status).toBe(403)
  }
})

const WEBHOOK = `${ROUTES.webhooks}/{webhookId}`
const WEBHOOKS = [
  ...[ROUTES.webhooks, ROUTES.webhooks, WEBHOOK, WEBHOOK, WEBHOOK],
  ...['secret', 'test', 'replay', 'deliveries'].map((what) => `${WEBHOOK}/${what}`),
]
const WRITES = [ROUTES.callEvent, ROUTES.demoCallEvent, ROUTES.callEvents]
test('ids of another tenant are free, whatever is written to them changes nothing of it, and no field names a tenant', async () => {
  const before = await get(at(0), call(events[0]!.callId), acme.key, { [HEADERS.position]: given.position })
  let position = ''
  for (const path of WRITES) {
    for (const event of [events[0]!, { ...events[0]!, state: 'FAILED', from: '+49', metadata: {} } as const]) {
      // A tenant of its own each time, for which the id must be as new as any.
      const stranger = await platform.newTenant()
      await platform.query(`update hopwhistle.tenants set labels = '{campaign}' where id = $1`, [stranger.id])
      const wrap = (one: object) => (path === ROUTES.callEvents ? { events: [one] } : one)
      const written = await post(at(1), wrap(event), stranger.key, path)
      const { outcome } = path === ROUTES.callEvents ? written.body.results[0] : written.body
      expect(outcome, path).toBe('applied')
      position = written.body.position
      for (const field of ['tenantId', 'tenant_id', 'tenant']) {
        const named = await post(at(1), wrap({ ...anEvent('RINGING'), [field]: acme.id }), stranger.key, path)
        const { status } = path === ROUTES.callEvents ? named.body.results[0] : named
        expect(status, `${path} ${field}`).toBe(400)
      }
    }
  }
  const after = await get(at(0), call(events[0]!.callId), acme.key, { [HEADERS.position]: position })
  const said = ({ asOf: _, source: __, ...all }: Record<string, unknown>) => all
  expect(said(after.body)).toEqual(said(before.body))
})

test('a tenant sees and declares its own labels only', async () => {
  const stranger = await platform.newTenant()
  expect((await get(at(0), ROUTES.labels, stranger.key)).body).toEqual({ labels: [] })
  const headers = { 'content-type': 'application/json', [HEADERS.apiKey]: stranger.key }
  const put = { method: 'PUT', headers, body: JSON.stringify({ labels: ['source'] }) }
  expect((await fetch(at(0).url + ROUTES.labels, put)).status).toBe(200)
  expect((await get(at(1), ROUTES.labels, stranger.key)).body).toEqual({ labels: ['source'] })
  expect((await get(at(1), ROUTES.labels, acme.key)).body).toEqual({ labels: ['campaign'] })
})

test('the same question of both at the same moment has two answers', { timeout: 60_000 }, async () => {
  for (const path of [`${PATH.calls}?limit=7`, `${PATH.metrics}?granularity=hour`]) {
    const asked = Array.from({ length: 40 }, (_, i) => get(at(i), path, (i % 4 < 2 ? acme : thief).key))
    for (const [i, answer] of (await Promise.all(asked)).entries()) {
      expect(answer.status).toBe(200)
      if (i % 4 >= 2) hasNothingOf(answer)
      const count = path.includes('metrics') ? answer.body.totals.calls : answer.body.calls.length
      expect(count, path).toBe(i % 4 < 2 ? events.length : 0)
    }
  }
  // And in Redis, under a name that has the tenant in it. An instance that found Redis slow keeps nothing there for a while.
  const redis = new Redis(platform.redis.url)
  onTestFinished(() => redis.disconnect())
  const keys = await waitUntil(
    'a report of each tenant in Redis',
    async () => {
      for (const { key } of [acme, thief]) await get(at(0), `${PATH.calls}?limit=7`, key)
      const found = await redis.keys('*')
      const has = ({ id }: Tenant) => found.some((key) => key.includes(`{${id}}:report`))
      return has(acme) && has(thief) && found
    },
    { timeoutMs: 20_000, everyMs: 100 },
  )
  const ids = (await platform.query<{ id: string }>('select id from hopwhistle.tenants')).map(({ id }) => id)
  expect(keys.filter((key) => !ids.some((id) => key.includes(id)))).toEqual([])
})

test('what is open to everyone names no tenant and nothing of one', async () => {
  const open = OPERATIONS.filter(({ security }) => security?.length === 0).map(({ path }) => path)
  expect(open).toContain(ROUTES.metrics)
  for (const path of [...open, ROUTES.openapi]) {
    hasNothingOf(await get(at(0), path))
    expect(JSON.stringify((await get(at(0), path)).body)).not.toContain(thief.id)
  }
})

test('an id as long as may be, or made to look like something else, is only an id', async () => {
  const odd = [
    `${'x'.repeat(EVENT_BOUNDS.idMaxLength)}`,
    `${acme.id}:${events[0]!.callId}`,
    `../${events[0]!.callId}`,
    `${events[0]!.callId}%00`,
    `x' or tenant_id = '${acme.id}`,
    '*',
    '%',
  ]
  for (const id of odd) expect((await get(at(0), call(id), thief.key)).status, id).toBe(404)
})
