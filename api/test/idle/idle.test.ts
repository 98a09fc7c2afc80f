import { Redis } from 'ioredis'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { type ApiProcess, apiProcess } from '../platform/api-process.ts'
import { type Platform, runningPlatform } from '../platform/running-platform.ts'
import { cpuUse, readCpu } from './cpu-reading.ts'

/** Long enough for what comes once a second to show its rate; what comes more rarely may be in it or not. */
const WINDOW_MS = 6_000

let platform: Platform
let api: ApiProcess
const pools: pg.Pool[] = []
let redis: Redis
beforeAll(async () => {
  platform = await runningPlatform(0)
  const { database } = platform
  for (const connectionString of [database.ownerUrl, database.ownerReplicaUrl]) {
    pools.push(new pg.Pool({ connectionString, max: 1 }))
  }
  redis = new Redis(platform.redis.url)
  api = await apiProcess(platform)
})
afterAll(async () => {
  api.process.kill('SIGTERM')
  redis.disconnect()
  await Promise.all(pools.map((pool) => pool.end()))
  await platform.close()
})

/** Statements of the API's role in its database so far, those within functions not counted. */
async function statements(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ calls: number }>(
    `select coalesce(sum(calls), 0)::integer as calls
     from pg_stat_statements
     where toplevel
       and dbid = (select oid from pg_database where datname = current_database())
       and userid = (select oid from pg_roles where rolname = 'hopwhistle_api')`,
  )
  return rows[0]?.calls ?? 0
}

/** Commands of everyone so far; of this test they are the INFO that this takes. */
async function commands(): Promise<number> {
  const calls = (await redis.info('commandstats')).matchAll(/^cmdstat_[^:]+:calls=(\d+)/gm)
  return [...calls].reduce((sum, [, count]) => sum + Number(count), 0)
}

type Counts = Readonly<Record<'primary' | 'replica' | 'redis', number>>
async function count(): Promise<Counts> {
  const [primary = 0, replica = 0] = await Promise.all(pools.map(statements))
  return { primary, replica, redis: await commands() }
}

test('an instance with nothing to do leaves Postgres, Redis and the processor alone, but for a look a second', async () => {
  const startedAt = performance.now()
  const settled = () => performance.now() - startedAt > 2_000
  await waitUntil('the instance to have started', settled, { timeoutMs: 30_000 })
  const [before, cpuBefore, fromMs] = [await count(), readCpu(api.process.pid as number), performance.now()]
  const isOver = () => performance.now() - fromMs >= WINDOW_MS
  await waitUntil('the window to be over', isOver, { timeoutMs: 60_000 })
  const seconds = (performance.now() - fromMs) / 1000
  const [after, cpuAfter] = [await count(), readCpu(api.process.pid as number)]
  const perSecond = (server: keyof Counts) => (after[server] - before[server]) / seconds

  // Where it is, once a second, and as often as the window has ends.
  expect(perSecond('replica')).toBeLessThan(1.4)
  expect(perSecond('replica')).toBeGreaterThan(0.3)
  // And a sweep of the outbox, in three statements, about once a second.
  expect(perSecond('primary')).toBeLessThan(6)
  expect(perSecond('primary')).toBeGreaterThan(0.3)
  // A PING on each of two connections, and this test's INFO.
  expect(perSecond('redis')).toBeLessThan(2.7)
  expect(perSecond('redis')).toBeGreaterThan(0.6)
  if (process.platform === 'linux') expect(cpuUse(cpuBefore, cpuAfter).wakeUpsPerSecond).toBeLessThan(60)
})

test('a scrape asks the servers, so that it says how they are now', async () => {
  const before = await count()
  const scrape = async () => (await fetch(`${api.url}/metrics`)).text()
  const text = await scrape()
  for (const resource of ['postgres_connections', 'postgres_query_timeout', 'redis_connections', 'redis_memory']) {
    expect(text).toContain(`hopwhistle_usage{resource="${resource}"} `)
  }
  for (let i = 0; i < 9; i++) await scrape()
  const after = await count()
  // Its connections and its position, ten times.
  expect(after.primary - before.primary).toBeGreaterThanOrEqual(20)
  expect(after.replica - before.replica).toBeGreaterThanOrEqual(10)
  expect(after.redis - before.redis).toBeGreaterThan(10)
})
