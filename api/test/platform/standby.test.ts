/** DATABASE_URL leads to a standby: by mistake, or after a failover that its name does not know of yet. */
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { connectPostgres } from '../../../platform/test-support/connect-postgres.ts'
import { freshDatabase, type TestDatabase } from '../../../platform/test-support/fresh-database.ts'
import { ownPostgres } from '../../../platform/test-support/own-postgres.ts'
import { startTcpProxy } from '../../../platform/test-support/tcp-proxy.ts'
import { apiProcess } from './api-process.ts'
import { anEvent, get, post, runningPlatform } from './running-platform.ts'

let database: TestDatabase
beforeAll(async () => {
  const postgres = await ownPostgres()
  database = await freshDatabase(postgres)
  return postgres.stop
})

async function proxy() {
  const between = await startTcpProxy(database.postgres.primaryPort)
  onTestFinished(between.close)
  return {
    url: between.through(database.apiUrl),
    moveTo: (port: number) => {
      between.lead(port)
      between.set('cut')
      between.set('open')
    },
  }
}

const until = (what: string, is: () => Promise<boolean>) => waitUntil(what, is, { timeoutMs: 20_000, everyMs: 50 })

test('at the start, the instance is not ready and says which setting it is; once the name leads to the primary, it works', {
  timeout: 90_000,
}, async () => {
  const between = await proxy()
  between.moveTo(database.postgres.replicaPort)
  const platform = await runningPlatform(1, { DATABASE_URL: between.url }, database)
  onTestFinished(platform.close)
  const [instance] = platform.instances
  const { key } = await platform.newTenant()
  await until('it to be not ready', async () => (await get(instance!, ROUTES.readyz)).status === 503)
  expect((await get(instance!, ROUTES.readyz)).body).toBe('DATABASE_URL leads to a standby\n')
  expect(await get(instance!, ROUTES.health)).toMatchObject({ status: 503, body: { status: 'unavailable' } })
  // Reports come from the replica all the same.
  await database.replicaCaughtUp()
  expect(await get(instance!, ROUTES.reportCalls, key)).toMatchObject({ status: 200, body: { source: 'replica' } })
  const refused = await post(instance!, anEvent('RINGING'), key)
  expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([
    503,
    'database-unavailable',
    '1',
  ])

  between.moveTo(database.postgres.primaryPort)
  await until('it to be ready', async () => (await get(instance!, ROUTES.readyz)).status === 200)
  expect((await post(instance!, anEvent('RINGING'), key)).status).toBe(201)
})

test('while it runs, a failover behind the same name is followed: what is refused meanwhile is said to be, and why', {
  timeout: 90_000,
}, async () => {
  const between = await proxy()
  const platform = await runningPlatform(0, {}, database)
  onTestFinished(platform.close)
  const { key } = await platform.newTenant()
  const api = await apiProcess(platform, { DATABASE_URL: between.url })
  onTestFinished(async () => void api.process.kill('SIGKILL'))
  const instance = { ...platform.instances[0]!, url: api.url }
  expect((await post(instance, anEvent('RINGING'), key)).status).toBe(201)
  await database.replicaCaughtUp()

  between.moveTo(database.postgres.replicaPort)
  await until('it to be not ready', async () => (await get(instance, ROUTES.readyz)).status === 503)
  const told = /"level":50[^\n]*DATABASE_URL leads to a standby, which takes no writes/
  await until('it to say so', async () => told.test(api.said()))
  expect((await post(instance, anEvent('RINGING'), key)).status).toBe(503)

  const standby = await connectPostgres(database.ownerReplicaUrl)
  await standby.query('select pg_promote()')
  await until('it to be ready', async () => (await get(instance, ROUTES.readyz)).status === 200)
  expect((await post(instance, anEvent('RINGING'), key)).status).toBe(201)
})

test('a connection on which writes are refused is closed, and the write is said to need the primary', async () => {
  const { openPostgres } = await import('../../src/postgres/open-postgres.ts')
  const { NotPrimary } = await import('../../src/postgres/primary-server.ts')
  const { queryReplicated } = await import('../../src/postgres/replicated.ts')
  const { createLog } = await import('../../src/telemetry/log.ts')
  const { createMetrics } = await import('../../src/telemetry/metrics.ts')
  const settings = { databaseUrl: database.apiUrl, postgresPool: 10, postgresQueryTimeoutMs: 5_000, instanceId: 'one' }
  const postgres = openPostgres(settings, createLog({ level: 'silent', instanceId: 'one' }), createMetrics())
  onTestFinished(postgres.close)
  // As behind a pooler, whose connection came to lead to a standby after it was greeted.
  await postgres.ingest.query('set default_transaction_read_only = on')
  const write = queryReplicated(postgres.ingest, {
    text: `insert into hopwhistle.outbox (tenant_id, event_ids) values (gen_random_uuid(), '{}')`,
  })
  await expect(write).rejects.toThrow(NotPrimary)
  expect(postgres.ingest.totalCount).toBe(0)
})
