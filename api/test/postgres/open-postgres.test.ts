import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestDatabase } from '../../../platform/test-support/fresh-database.ts'
import { freshDatabase } from '../../../platform/test-support/fresh-database.ts'
import type { Postgres } from '../../src/postgres/open-postgres.ts'
import { openPostgres, poolSizes } from '../../src/postgres/open-postgres.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'

const metrics = createMetrics()
let database: TestDatabase
let postgres: Postgres
beforeAll(async () => {
  database = await freshDatabase()
  const settings = {
    databaseUrl: database.apiUrl,
    databaseReplicaUrl: database.replicaUrl,
    postgresPool: 20,
    postgresQueryTimeoutMs: 300,
    instanceId: 'one',
  }
  postgres = openPostgres(settings, createLog({ level: 'silent', instanceId: 'one' }), metrics)
})
afterAll(() => postgres.close())

test.each([8, 9, 20, 50, 100])('the pools of an instance add up to %i connections, each with one at least', (total) => {
  for (const withReplica of [true, false]) {
    const { reportsReplica, exports, ...others } = poolSizes(total, withReplica)
    expect(Object.values(others).reduce((sum, size) => sum + size, reportsReplica + exports)).toBe(total)
    expect(Math.min(...Object.values(others))).toBeGreaterThanOrEqual(1)
    expect([reportsReplica > 0, exports > 0]).toEqual([withReplica, withReplica])
  }
})

test('a statement that takes too long is cancelled by the server', async () => {
  await expect(postgres.upkeep.query('select pg_sleep(5)')).rejects.toMatchObject({ code: '57014' })
})

test('connections say whose they are, and what runs is counted', async () => {
  const client = await postgres.ingest.connect()
  expect((await client.query('show application_name')).rows).toEqual([
    { application_name: 'hopwhistle-api one ingest' },
  ])
  expect(postgres.connectionsInUse()).toBe(1)
  client.release()
  expect(postgres.connectionsInUse()).toBe(0)
  const text = await metrics.scrape()
  expect(text).toMatch(/hopwhistle_postgres_pool_connections\{pool="ingest",state="idle"\} 1/)
  expect(text).toMatch(/hopwhistle_postgres_pool_wait_seconds_count\{pool="ingest"\} 1/)
  expect(text).toMatch(/hopwhistle_postgres_pool_wait_seconds_count\{pool="upkeep"\} 1/)
})

test('the replica is read-only', async () => {
  expect((await postgres.reportsReplica?.query('select pg_is_in_recovery() as replica'))?.rows).toEqual([
    { replica: true },
  ])
})

test('a connection that breaks while it is taken and not asked anything does not end the process', async () => {
  const client = await postgres.ingest.connect()
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  const ended = new Promise((resolve) => client.once('end', resolve))
  const uncaught: Error[] = []
  const keep = (error: Error) => uncaught.push(error)
  process.on('uncaughtExceptionMonitor', keep)
  await postgres.upkeep.query('select pg_terminate_backend($1)', [rows[0]?.pid])
  await ended
  process.off('uncaughtExceptionMonitor', keep)
  expect(uncaught).toEqual([])
  await expect(client.query('select 1')).rejects.toThrow('not queryable')
  client.release(true)
})

test('a batch gives up on a server that says nothing sooner than a report does', async () => {
  const settings = {
    databaseUrl: database.apiUrl,
    postgresPool: 20,
    postgresQueryTimeoutMs: 30_000,
    instanceId: 'two',
  }
  const usual = openPostgres(settings, createLog({ level: 'silent', instanceId: 'two' }), createMetrics())
  const timeoutOf = async ({ ingest, reportsPrimary }: Postgres) =>
    Promise.all([ingest, reportsPrimary].map(async (pool) => (await pool.query('show statement_timeout')).rows[0]))
  expect(await timeoutOf(usual)).toEqual([{ statement_timeout: '10s' }, { statement_timeout: '30s' }])
  await usual.close()
})
