import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { connectPostgres } from '../../../platform/test-support/connect-postgres.ts'
import type { TestDatabase } from '../../../platform/test-support/fresh-database.ts'
import { freshDatabase } from '../../../platform/test-support/fresh-database.ts'
import { ownPostgres } from '../../../platform/test-support/own-postgres.ts'
import { startTcpProxy } from '../../../platform/test-support/tcp-proxy.ts'
import type { PlatformOptions } from './reporting-platform.ts'
import { startPlatform } from './reporting-platform.ts'

/** Replay is paused and connections are ended here. */
let postgres: Awaited<ReturnType<typeof ownPostgres>>
let database: TestDatabase
beforeAll(async () => {
  postgres = await ownPostgres()
  database = await freshDatabase(postgres)
})
afterAll(() => postgres.stop())

/** An instance whose ways to the replica and to the primary can be taken away. */
async function platformBehindProxies(options: PlatformOptions = {}) {
  const [toReplica, toPrimary] = [
    await startTcpProxy(database.postgres.replicaPort),
    await startTcpProxy(database.postgres.primaryPort),
  ]
  onTestFinished(toReplica.close)
  onTestFinished(toPrimary.close)
  const platform = await startPlatform({
    database,
    replicaUrl: toReplica.through(database.replicaUrl),
    primaryUrl: toPrimary.through(database.apiUrl),
    ...options,
  })
  onTestFinished(async () => {
    toReplica.set('open')
    toPrimary.set('open')
    await platform.close()
  })
  const tenant = await platform.newTenant()
  const position = await tenant.post({ callId: 'one', state: 'RINGING', atMs: Date.now() })
  await database.replicaCaughtUp()
  let asked = 0
  return {
    platform,
    tenant,
    toReplica,
    toPrimary,
    position,
    /** A list that no cache has. */
    list: (position?: string) => {
      asked += 1
      const startedTo = new Date(Date.now() + 3_600_000 + asked * 1000).toISOString()
      return tenant.calls({ startedTo, ...(position === undefined ? {} : { position }) })
    },
  }
}

const until = (what: string, is: () => boolean, timeoutMs = 15_000) => waitUntil(what, is, { timeoutMs, everyMs: 10 })

test('a replica that goes away costs nobody an error, and is used again once it is back', async () => {
  const { list, platform, toReplica, position } = await platformBehindProxies()
  expect((await list()).body.source).toBe('replica')
  let failing = true
  const sources = new Set<string>()
  const asking = Array.from({ length: 8 }, async () => {
    while (failing) {
      const { status, body } = await list(Math.random() < 0.5 ? position : undefined)
      expect(status).toBe(200)
      expect(body.calls).toHaveLength(1)
      sources.add(body.source)
    }
  })
  await until('reports from the replica', () => sources.has('replica'))
  toReplica.set('cut')
  await until('the replica to be left alone', () => !platform.replica.isUp())
  expect((await list()).body.source).toBe('primary')
  toReplica.set('open')
  await until('the replica to be used again', () => platform.replica.isUp())
  failing = false
  await Promise.all(asking)
  expect((await list()).body.source).toBe('replica')
})

test('a replica that falls silent in the middle of a report is given up, and the report read on the primary', async () => {
  const { list, platform, toReplica } = await platformBehindProxies()
  toReplica.set('stalled')
  const startedAt = performance.now()
  const answers = await Promise.all(Array.from({ length: 6 }, () => list()))
  expect(performance.now() - startedAt).toBeLessThan(5_000)
  for (const { status, body } of answers) expect([status, body.source]).toEqual([200, 'primary'])
  expect(platform.replica.isUp()).toBe(false)
})

test('when the primary is gone, reports still come from the replica; what only the primary could show is a 503', async () => {
  const { list, platform, tenant, toPrimary, position } = await platformBehindProxies()
  toPrimary.set('cut')
  await until('the primary to be missed', () => !platform.replica.primaryIsUp())
  for (const given of [undefined, position]) {
    const { status, body } = await list(given)
    expect([status, body.source]).toEqual([200, 'replica'])
  }
  expect((await tenant.metrics({ granularity: 'hour' })).body.source).toBe('replica')
  const ahead = await list(platform.tokens.sealPosition(0xff_ffffn << 32n))
  expect(ahead).toMatchObject({ status: 503, body: { code: 'database-unavailable' } })
  expect(ahead.headers['retry-after']).toBe('1')
  toPrimary.set('open')
  await until('the primary to be back', () => platform.replica.primaryIsUp())
})

test('a report whose connection is ended by an administrator is read again', async () => {
  const { list, platform } = await platformBehindProxies()
  for (let i = 0; i < 20; i++) {
    const asking = Promise.all(Array.from({ length: 6 }, () => list()))
    await platform.ownerReplica.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename = 'hopwhistle_api'`,
    )
    for (const { status } of await asking) expect(status).toBe(200)
  }
})

test('a replica further behind than allowed is left alone, and used again once it has caught up to half of it', async () => {
  const { list, platform, tenant } = await platformBehindProxies({ env: { REPLICA_MAX_LAG_BYTES: '40000' } })
  await platform.ownerReplica.query('select pg_wal_replay_pause()')
  try {
    const metadata = { filling: 'x'.repeat(3_500) }
    for (let i = 0; i < 40; i++) await tenant.post({ callId: `c${i}`, state: 'RINGING', atMs: Date.now(), metadata })
    await until('the replica to be left alone', () => !platform.replica.isUp())
    const { body } = await list()
    expect(body.source).toBe('primary')
    expect(body.calls).toHaveLength(41)
    expect(await platform.counted(platform.metrics.replicaUp, {})).toBe(0)
    expect(await platform.counted(platform.metrics.replicaLagBytes, {})).toBeGreaterThan(40_000)
  } finally {
    await platform.ownerReplica.query('select pg_wal_replay_resume()')
  }
  await until('the replica to be used again', () => platform.replica.isUp())
  expect((await list()).body.source).toBe('replica')
})

test('a replica that is too far behind is better than nothing: it is read when the primary fails', async () => {
  const { list, platform, tenant, toPrimary, position } = await platformBehindProxies({
    env: { REPLICA_MAX_LAG_MS: '400' },
  })
  await platform.ownerReplica.query('select pg_wal_replay_pause()')
  try {
    const ahead = await tenant.post({ callId: 'two', state: 'RINGING', atMs: Date.now() })
    await until('the replica to be left alone', () => !platform.replica.isUp())
    toPrimary.set('cut')
    for (const given of [undefined, position]) {
      const { status, body } = await list(given)
      expect([status, body.source, body.calls.length]).toEqual([200, 'replica', 1])
      expect(Date.now() - Date.parse(body.asOf)).toBeGreaterThan(400)
    }
    expect((await list(ahead)).status).toBe(503)
  } finally {
    await platform.ownerReplica.query('select pg_wal_replay_resume()')
    toPrimary.set('open')
  }
})

test('a replica that is late by time is left alone, however little it is behind', async () => {
  const { list, platform, tenant } = await platformBehindProxies({ env: { REPLICA_MAX_LAG_MS: '600' } })
  await platform.ownerReplica.query('select pg_wal_replay_pause()')
  try {
    await tenant.post({ callId: 'two', state: 'RINGING', atMs: Date.now() })
    await until('the replica to be left alone', () => !platform.replica.isUp())
    expect((await list()).body.calls).toHaveLength(2)
  } finally {
    await platform.ownerReplica.query('select pg_wal_replay_resume()')
  }
  await until('the replica to be used again', () => platform.replica.isUp())
})

test('an idle primary does not make the replica late', async () => {
  const { list, platform } = await platformBehindProxies({ env: { REPLICA_MAX_LAG_MS: '500' } })
  const last = Date.now()
  await waitUntil('two seconds without a write', () => Date.now() - last > 2_000 || undefined, { timeoutMs: 5_000 })
  expect(platform.replica.isUp()).toBe(true)
  const { body } = await list()
  expect(Date.now() - Date.parse(body.asOf)).toBeLessThan(1_000)
})

test('without a replica, reports read the primary, and nothing is said of a replica in the metrics', async () => {
  const { list, platform } = await platformBehindProxies({ replicaUrl: null })
  expect((await list()).body.source).toBe('primary')
  expect(await platform.metrics.registry.metrics()).not.toMatch(/^hopwhistle_replica_up /m)
})

test('an address that leads to the primary is no replica', async () => {
  const platform = await startPlatform({ database, replicaUrl: null })
  onTestFinished(platform.close)
  const { createReplicaLink } = await import('../../src/postgres/replica-link.ts')
  const errors: Error[] = []
  const link = createReplicaLink(platform.owner, 1000, {
    opened: () => {},
    replayed: () => {},
    closed: (e) => errors.push(e),
  })
  expect(await link.ask()).toBe(false)
  expect(errors[0]?.message).toContain('not a replica')
  link.close()
})

test('a report that would wait on the replica behind the lock of a migration is read on the primary', async () => {
  const { list } = await platformBehindProxies()
  expect((await list()).body.source).toBe('replica')
  const holder = await connectPostgres(database.ownerReplicaUrl)
  onTestFinished(() => holder.end())
  const migrating = await connectPostgres(database.ownerUrl)
  const watching = await connectPostgres(database.ownerReplicaUrl)
  await holder.query('begin; select from hopwhistle.calls')
  await migrating.query('alter table hopwhistle.calls add column more integer')
  await waitUntil(
    'the replay of the lock to wait',
    async () => {
      const { rows } = await watching.query(
        `select from pg_locks where relation = 'hopwhistle.calls'::regclass and mode = 'AccessExclusiveLock' and not granted`,
      )
      return rows.length > 0
    },
    { timeoutMs: 10_000 },
  )
  const { status, body } = await list()
  expect([status, body.source]).toEqual([200, 'primary'])
  // It has not waited until the replica ended this one, as it does in the end.
  await holder.query('commit')
  await migrating.query('alter table hopwhistle.calls drop column more')
  await database.replicaCaughtUp()
})
