import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Platform, Tenant, TestEvent } from './reporting-platform.ts'
import { startPlatform } from './reporting-platform.ts'

let platform: Platform
beforeAll(async () => {
  platform = await startPlatform({ env: { EXPORT_LINES_MAX: '2000' } })
})
afterAll(() => platform.close())

const CSV = 'text/csv'
const NDJSON = 'application/x-ndjson'
const CALLS = '/api/v1/reporting/calls'
const METRICS = '/api/v1/reporting/metrics'
const path = (route: string, query: Record<string, string> = {}) => `${route}?${new URLSearchParams(query)}`

/** Lines of an export, without their ends. */
async function lines(tenant: Tenant, accept: string, query: Record<string, string> = {}, route = CALLS) {
  const { status, headers, text } = await tenant.ask(path(route, query), { accept })
  expect(status, text.slice(0, 300)).toBe(200)
  expect(headers['content-type']).toMatch(accept)
  const end = accept === CSV ? '\r\n' : '\n'
  expect(text === '' || text.endsWith(end)).toBe(true)
  return { headers, lines: text.split(end).slice(0, -1) }
}
// biome-ignore lint/suspicious/noExplicitAny: tests look into lines of every shape
const objects = async (tenant: Tenant, query: Record<string, string> = {}, route = CALLS): Promise<any[]> =>
  (await lines(tenant, NDJSON, query, route)).lines.map((line) => JSON.parse(line))

async function tenantWith(count: number): Promise<Tenant & { readonly position: string }> {
  const tenant = await platform.newTenant()
  const at = Date.now() - 3_600_000
  const events = Array.from({ length: count }, (_, i): TestEvent => {
    // Three calls to each millisecond, so that pages end between calls of the same instant.
    const call = { callId: `call-${i}`, atMs: at + Math.floor(i / 3), from: i % 5 === 0 ? '+1' : '+2' }
    return { ...call, state: i % 4 === 0 ? 'COMPLETED' : 'RINGING', ...(i % 2 === 0 ? {} : { direction: 'inbound' }) }
  })
  let position = ''
  for (let from = 0; from < count; from += 500) position = await tenant.post(...events.slice(from, from + 500))
  await platform.database.replicaCaughtUp()
  return { ...tenant, position }
}

/** All pages of the list. */
async function listed(tenant: Tenant, query: Record<string, string> = {}) {
  const calls: object[] = []
  let cursor: string | null = null
  do {
    const { body } = await tenant.calls({ ...query, limit: '200', ...(cursor === null ? {} : { cursor }) })
    calls.push(...body.calls)
    cursor = body.nextCursor
  } while (cursor !== null)
  return calls
}

test('the header of CSV never changes', async () => {
  const tenant = await platform.newTenant()
  expect((await lines(tenant, CSV)).lines).toEqual([
    'callId,state,direction,from,to,startedAt,initiatedAt,ringingAt,answeredAt,endedAt,updatedAt,ringMs,talkMs,durationMs,' +
      'stale,labels,sequence,cursor',
  ])
  const [header] = (await lines(tenant, CSV, { granularity: 'hour' }, METRICS)).lines
  expect(header).toBe(
    'start,calls,connected,inbound,outbound,states.INITIATED,states.RINGING,states.ANSWERED,states.COMPLETED,states.BUSY,' +
      'states.NO_ANSWER,states.FAILED,states.CANCELED,ring.count,ring.averageMs,ring.p50Ms,ring.p95Ms,ring.p99Ms,' +
      'talk.count,talk.averageMs,talk.p50Ms,talk.p95Ms,talk.p99Ms,stale,group,key,callers.firstTime,callers.repeat',
  )
})

test('every number of a bucket has its column in CSV, with groups and callers, too', async () => {
  const tenant = await tenantWith(20)
  const query = { granularity: 'day', groupBy: 'direction', include: 'callers' }
  const header = (await lines(tenant, CSV, query, METRICS)).lines[0]?.split(',')
  for (const asked of [query, { granularity: 'day', include: 'callers' }]) {
    const [bucket] = await objects(tenant, asked, METRICS)
    expect(header).toEqual(expect.arrayContaining(namesIn(bucket)))
    expect(namesIn(bucket)).toContain('callers.repeat')
  }
})

const namesIn = (value: object, before = ''): string[] =>
  Object.entries(value).flatMap(([name, one]) =>
    typeof one === 'object' && one !== null ? namesIn(one, `${before}${name}.`) : [before + name],
  )

test('an export has the calls of all pages of the list, by any filter, in the same order', async () => {
  const tenant = await tenantWith(700)
  for (const query of [
    {},
    { state: 'COMPLETED' },
    { direction: 'inbound' },
    { fromNumber: '+1' },
    { fromNumber: '+3' },
  ]) {
    const exported = await objects(tenant, query)
    const withoutCursor = exported.map(({ cursor, ...call }) => call)
    expect(withoutCursor).toEqual(await listed(tenant, query))
    expect(exported.map(({ cursor }) => cursor === null)).toEqual(exported.map((_, i) => i === exported.length - 1))
  }
})

test('CSV has the same as NDJSON, value by value', async () => {
  const tenant = await tenantWith(10)
  await tenant.post(
    { callId: 'all', state: 'RINGING', atMs: Date.now() - 9_000, direction: 'outbound', from: '+4930123', to: '=1+1' },
    { callId: 'all', state: 'ANSWERED', atMs: Date.now() - 8_000 },
    { callId: 'all', state: 'COMPLETED', atMs: Date.now() - 5_000 },
  )
  await platform.database.replicaCaughtUp()
  const [header = '', ...csv] = (await lines(tenant, CSV)).lines
  const names = header.split(',')
  const text = (name: string, value: unknown) =>
    value === null ? '' : name === 'to' ? `'${value}` : name === 'labels' ? JSON.stringify(value) : String(value)
  const expected = (await objects(tenant)).map((call) => names.map((name) => text(name, call[name])).join(','))
  expect(csv).toEqual(expected)
  expect(csv[0]).toContain('all,COMPLETED,outbound,+4930123,')
})

test('each line goes on where it is: after any of them, with its cursor, come exactly the others', async () => {
  const tenant = await tenantWith(450)
  const all = await objects(tenant, { state: 'RINGING' })
  for (const i of [0, 1, 2, 198, 199, 200, all.length - 2]) {
    const rest = await objects(tenant, { state: 'RINGING', cursor: all[i].cursor })
    expect(rest.map(({ callId }) => callId)).toEqual(all.slice(i + 1).map(({ callId }) => callId))
  }
  // It is a cursor of the list as well, and of no other question.
  const page = await tenant.calls({ state: 'RINGING', cursor: all[9].cursor, limit: '1' })
  expect(page.body.calls[0].callId).toBe(all[10].callId)
  for (const [asked, query] of [
    [tenant, { state: 'COMPLETED' }],
    [await platform.newTenant(), { state: 'RINGING' }],
  ] as const) {
    const refused = await asked.ask(path(CALLS, { ...query, cursor: all[9].cursor }), { accept: NDJSON })
    expect(refused).toMatchObject({ status: 400, body: { code: 'invalid-cursor' } })
  }
})

test('a limit ends an export after so many lines, and the last one has a cursor; more than allowed is refused', async () => {
  const tenant = await tenantWith(2_100)
  for (const [limit, count] of [
    [1, 1],
    [200, 200],
    [333, 333],
    [undefined, 2_000],
  ] as const) {
    const exported = await objects(tenant, limit === undefined ? {} : { limit: String(limit) })
    expect(exported).toHaveLength(count)
    expect(exported.at(-1).cursor).toEqual(expect.any(String))
  }
  const refused = await tenant.ask(path(CALLS, { limit: '2001' }), { accept: CSV })
  expect(refused).toMatchObject({ status: 400, body: { code: 'invalid-request' } })
  expect((await tenant.calls({ limit: '201' })).status).toBe(400)
})

test('JSON is what it was, and stays the default', async () => {
  const tenant = await tenantWith(3)
  const plain = await tenant.calls()
  for (const accept of ['*/*', 'application/json', 'application/json, text/csv;q=0.9']) {
    const answer = await tenant.ask(path(CALLS), { accept })
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(answer.body.calls).toEqual(plain.body.calls)
  }
  expect(plain.text).toMatch(
    /^{"source":"\w+" *,"asOf":"[^"]+","calls":\[{"callId":"call-2","sequence":1,"state":"RINGING","direction":null,/,
  )
})

test('what is not offered is 406; every answer varies by Accept, also that', async () => {
  const tenant = await platform.newTenant()
  for (const route of [CALLS, `${METRICS}?granularity=hour`]) {
    const refused = await tenant.ask(route, { accept: 'application/xml' })
    expect(refused).toMatchObject({ status: 406, body: { code: 'not-acceptable' } })
    for (const accept of ['application/xml', CSV, NDJSON, '*/*'])
      expect((await tenant.ask(route, { accept })).headers.vary).toMatch(/^accept, /)
  }
})

test('metrics as lines are the buckets of the report, with an ETag of their own', async () => {
  const tenant = await tenantWith(30)
  const query = { granularity: 'hour', position: tenant.position }
  const json = await tenant.metrics(query)
  const ndjson = await lines(tenant, NDJSON, query, METRICS)
  expect(ndjson.lines.map((line) => JSON.parse(line))).toEqual(json.body.buckets)
  expect(ndjson.headers['x-hopwhistle-as-of']).toMatch(/^\d{4}-/)
  const csv = await lines(tenant, CSV, query, METRICS)
  expect(csv.lines).toHaveLength(1 + json.body.buckets.length)
  const calls = csv.lines.slice(1).reduce((sum, line) => sum + Number(line.split(',')[1]), 0)
  expect(calls).toBe(30)
  const tags = [json, ndjson, csv].map(({ headers }) => String(headers.etag).slice(0, 20))
  expect(new Set(tags).size).toBe(3)
  const again = (accept: string, tag: unknown) =>
    tenant.ask(path(METRICS, query), { accept, 'if-none-match': String(tag) })
  expect((await again(CSV, csv.headers.etag)).status).toBe(304)
  expect((await again(CSV, json.headers.etag)).status).toBe(200)
  expect((await again('*/*', json.headers.etag)).status).toBe(304)
})

test('an export says as of when it is, where it was read, and how a browser names the file', async () => {
  const tenant = await tenantWith(1)
  const { headers } = await lines(tenant, CSV)
  expect(headers).toMatchObject({
    'x-hopwhistle-source': 'replica',
    'x-hopwhistle-as-of': expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    'content-disposition': 'attachment; filename="calls.csv"',
    'cache-control': 'private, no-store',
  })
})

test('an export with a position shows that write', async () => {
  const tenant = await platform.newTenant()
  for (let i = 0; i < 20; i++) {
    const position = await tenant.post({ callId: `c${i}`, state: 'RINGING', atMs: Date.now() })
    expect((await objects(tenant, { position })).some(({ callId }) => callId === `c${i}`)).toBe(true)
  }
})
