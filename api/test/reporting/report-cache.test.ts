import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import type { FreshRedis } from '../../../platform/test-support/fresh-redis.ts'
import { freshRedis } from '../../../platform/test-support/fresh-redis.ts'
import type { TcpProxy } from '../../../platform/test-support/tcp-proxy.ts'
import { startTcpProxy } from '../../../platform/test-support/tcp-proxy.ts'
import { createReportCache } from '../../src/redis/report-cache.ts'
import type { Platform, Tenant } from './reporting-platform.ts'
import { startPlatform } from './reporting-platform.ts'

let redis: FreshRedis
let toRedis: TcpProxy
let platform: Platform
let tenant: Tenant
beforeAll(async () => {
  redis = await freshRedis()
  toRedis = await startTcpProxy(redis.port)
  platform = await startPlatform({ redisUrl: toRedis.through(redis.url), answersKeptMs: 0 })
  tenant = await platform.newTenant()
  await tenant.post({ callId: 'one', state: 'RINGING', atMs: Date.now() - 5 * 3_600_000 })
  await platform.database.replicaCaughtUp()
})
afterAll(async () => {
  await platform.close()
  await toRedis.close()
})

const settled = (days: number) => {
  const to = Math.floor(Date.now() / 86_400_000) * 86_400_000 - 86_400_000
  return { granularity: 'day', from: new Date(to - days * 86_400_000).toISOString(), to: new Date(to).toISOString() }
}
const url = (query: Record<string, string>) => `/api/v1/reporting/metrics?${new URLSearchParams(query)}`
test('a report is read once and then comes from the cache: the same but for its source, however it is written', async () => {
  const first = await tenant.metrics(settled(3))
  const again = await tenant.metrics(settled(3))
  expect(first.body.source).toBe('replica')
  expect(again.body).toEqual({ ...first.body, source: 'cache' })
  // The same range by another offset and not on the edge of a bucket.
  const query = settled(3)
  const other = { ...query, from: query.from.replace('T00:00:00.000Z', 'T02:00:01+02:00') }
  expect((await tenant.metrics(other)).body).toEqual(again.body)
})

test('who has the report already is answered 304, also when it came from another source then', async () => {
  const first = await tenant.metrics(settled(4))
  expect(String(first.headers.etag)).toMatch(/^"[\w-]{22}\.replica"$/)
  for (const given of [first.headers.etag, `W/${first.headers.etag}`, `"other", ${first.headers.etag}`, '*']) {
    const again = await tenant.ask(url(settled(4)), { 'if-none-match': String(given) })
    expect([again.status, again.text], String(given)).toEqual([304, ''])
    expect(String(again.headers.etag)).toMatch(/\.cache"$/)
  }
  expect((await tenant.ask(url(settled(4)), { 'if-none-match': '"other"' })).status).toBe(200)
  expect((await tenant.ask(url(settled(4)), { 'if-none-match': '""' })).status).toBe(200)
})

test('what may be kept, and for how long, is said in the headers', async () => {
  const { headers } = await tenant.metrics(settled(5))
  expect(headers['cache-control']).toMatch(/^private, max-age=(59|60)$/)
  for (const name of ['x-api-key', 'authorization', 'x-hopwhistle-position']) expect(headers.vary).toContain(name)
  expect((await tenant.metrics({ granularity: 'hour' })).headers['cache-control']).toMatch(
    /^private, (max-age=[12]|no-cache)$/,
  )
  expect((await tenant.ask('/api/v1/calls/one')).headers['cache-control']).toBe('private, no-cache')
})

test('a report that calls still change is fresh again after two seconds', async () => {
  const query = { granularity: 'hour', from: new Date(Date.now() - 7_200_000).toISOString() }
  expect((await tenant.metrics(query)).body.totals.calls).toBe(0)
  await tenant.post({ callId: 'new', state: 'RINGING', atMs: Date.now() })
  const startedAt = Date.now()
  await waitUntil('the new call to be counted', async () => (await tenant.metrics(query)).body.totals.calls === 1, {
    timeoutMs: 5_000,
  })
  expect(Date.now() - startedAt).toBeLessThan(3_000)
})

test('a hundred who ask for the same at the same moment cause one read', async () => {
  const before = await platform.owner.query(READS)
  await platform.database.replicaCaughtUp()
  const readsOnReplica = async () => (await platform.ownerReplica.query(READS)).rows[0].calls as number
  const reads = await readsOnReplica()
  const answers = await Promise.all(Array.from({ length: 100 }, () => tenant.metrics(settled(6))))
  for (const { status, body } of answers) expect([status, body.buckets.length]).toEqual([200, 6])
  expect((await readsOnReplica()) - reads).toBe(1)
  expect((await platform.owner.query(READS)).rows).toEqual(before.rows)
})
const READS = `select coalesce(sum(calls), 0)::int as calls from pg_stat_statements s join pg_database d on d.oid = s.dbid
  where datname = current_database() and query like '%call_metrics_daily%'`

test('Redis falling silent costs 50 ms once a second, and then nothing', async () => {
  const quick = await startPlatform({
    database: platform.database,
    redisUrl: toRedis.through(redis.url),
    redisAnswersWithinMs: 50,
    answersKeptMs: 0,
  })
  const asked = vi.spyOn(quick.redis.commands, 'getBuffer')
  try {
    const caller = await quick.newTenant()
    toRedis.set('stalled')
    const startedAt = performance.now()
    for (let i = 0; i < 10; i++) expect((await caller.metrics(settled(10 + i))).body.source).toBe('replica')
    expect(asked.mock.calls.length).toBeGreaterThan(0)
    expect(asked.mock.calls.length).toBeLessThanOrEqual(1 + (performance.now() - startedAt) / 1_000)
    toRedis.set('open')
    const again = async () => (await caller.metrics(settled(10))).body.source === 'cache'
    await waitUntil('the cache to be used again', again, { timeoutMs: 15_000 })
  } finally {
    toRedis.set('open')
    asked.mockRestore()
    await quick.close()
  }
})

test('Redis gone is no error, and the cache is used again once it is back, empty', async () => {
  await redis.stop()
  for (let i = 0; i < 5; i++) expect((await tenant.metrics(settled(2))).status).toBe(200)
  await redis.start()
  await waitUntil(
    'the cache to be used again',
    async () => (await tenant.metrics(settled(2))).body.source === 'cache',
    { timeoutMs: 15_000 },
  )
})

test('anything else under a key of the cache is not taken for a report', async () => {
  const fresh = await tenant.metrics(settled(7))
  const keys = await platform.redis.commands.keys('hw:*:report:*')
  for (const garbage of [Buffer.alloc(0), Buffer.from('{}'), Buffer.alloc(300, 1)]) {
    for (const key of keys) await platform.redis.commands.set(key, garbage)
    const { status, body } = await tenant.metrics(settled(7))
    expect([status, body.buckets]).toEqual([200, fresh.body.buckets])
  }
})

test('an instance writes only so much into the cache', async () => {
  const commands = new Redis(redis.url)
  const now = Date.now()
  const cache = createReportCache({ commands, isUp: () => true }, { nowMs: () => now })
  const body = Buffer.alloc(300_000)
  for (let i = 0; i < 100; i++) cache.put(`big:${i}`, { position: 0n, expiresAtMs: now + 60_000, tag: 'tag', body })
  await commands.ping()
  expect(await commands.keys('hw:big:*')).toHaveLength(Math.floor((16 * 1024 * 1024) / body.length))
  await commands.quit()
})
