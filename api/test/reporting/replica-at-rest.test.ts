import { beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { freshDatabase, type TestDatabase } from '../../../platform/test-support/fresh-database.ts'
import { ownPostgres } from '../../../platform/test-support/own-postgres.ts'
import { startTcpProxy } from '../../../platform/test-support/tcp-proxy.ts'
import { parseWalPosition } from '../../src/postgres/wal-position.ts'
import { type PlatformOptions, startPlatform } from './reporting-platform.ts'

/** Replay is paused here, which holds up every database of a server. */
let database: TestDatabase
beforeAll(async () => {
  const postgres = await ownPostgres()
  database = await freshDatabase(postgres)
  return postgres.stop
})

const metadata = { filling: 'x'.repeat(3_500) }

/** Two instances on one database: one that nobody has asked for a report for a while, and one that takes events. */
async function restingPlatform(options: PlatformOptions = {}) {
  // Long enough for a busy machine, too.
  const env = { REPORT_WAIT_MS: '10000', ...options.env }
  const resting = await startPlatform({ database, ...options, env })
  onTestFinished(resting.close)
  const writing = await startPlatform({ database, redisUrl: resting.redisUrl })
  onTestFinished(writing.close)
  const tenant = await writing.newTenant()
  const reader = resting.actAs(tenant.tenantId)
  // Nothing is known that a rest would make old: the first report of all wakes it as any other.
  await reader.calls({ limit: '1' })
  const restingSince = performance.now()
  const rested = () => performance.now() - restingSince > 2_500
  await waitUntil('two and a half seconds without a report', rested, { timeoutMs: 30_000 })
  return {
    resting,
    reader,
    write: (...callIds: readonly string[]) =>
      tenant.post(...callIds.map((callId) => ({ callId, state: 'RINGING', atMs: Date.now(), metadata }) as const)),
    pauseReplay: async () => {
      await resting.ownerReplica.query('select pg_wal_replay_pause()')
      onTestFinished(async () => void (await resting.ownerReplica.query('select pg_wal_replay_resume()')))
    },
  }
}

/** An instance in which no timer ever fires: what it does, it does because something happened. */
async function withoutTimers(options: PlatformOptions = {}) {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval'] })
  onTestFinished(async () => void vi.useRealTimers())
  const platform = await startPlatform({ database, ...options })
  onTestFinished(platform.close)
  return platform
}

const ids = (answer: { body: { calls: { callId: string }[] } }) => answer.body.calls.map(({ callId }) => callId)

test('the report that ends a rest is as of the moment in which it was asked for', async () => {
  const { reader } = await restingPlatform()
  for (let i = 0; i < 3; i++) {
    const askedAtMs = Date.now()
    const { body } = await reader.calls({ limit: String(10 + i) })
    expect(body.source).toBe('replica')
    // Those that follow are as old as the last question to the primary.
    if (i === 0) expect(Date.parse(body.asOf)).toBeGreaterThanOrEqual(askedAtMs)
  }
})

test('the report that ends a rest asks for its position at once, and is read from the replica', async () => {
  const platform = await withoutTimers()
  const reader = await platform.newTenant()
  await platform.owner.query(`select pg_logical_emit_message(true, 'test', 'something to replay')`)
  const { rows } = await platform.owner.query('select pg_current_wal_flush_lsn()::text as position')
  const { status, body } = await reader.calls({
    position: platform.tokens.sealPosition(parseWalPosition(rows[0].position) as bigint),
  })
  expect([status, body.source]).toEqual([200, 'replica'])
})

test('a replica that fell behind during a rest is not read by the report that ends it', async () => {
  const { resting, reader, write, pauseReplay } = await restingPlatform({
    env: { REPLICA_MAX_LAG_BYTES: '8000' },
  })
  expect(resting.replica.isUp()).toBe(true)
  await pauseReplay()
  const callIds = Array.from({ length: 30 }, (_, i) => `not replayed ${i}`)
  await write(...callIds)
  const { body } = await reader.calls()
  expect(body.source).toBe('primary')
  expect(ids({ body }).toSorted()).toEqual(callIds.toSorted())
  expect(resting.replica.isUp()).toBe(false)
})

test('a replica that stopped during a rest and is read says since when', async () => {
  const { reader, write, pauseReplay } = await restingPlatform()
  await pauseReplay()
  await write('not replayed')
  const writtenMs = Date.now()
  const { body } = await reader.calls()
  expect([body.source, ids({ body })]).toEqual(['replica', []])
  expect(Date.parse(body.asOf)).toBeLessThanOrEqual(writtenMs)
})

test('a primary that hangs keeps the report that ends a rest for no longer than a position may', async () => {
  const toPrimary = await startTcpProxy(database.postgres.primaryPort)
  onTestFinished(toPrimary.close)
  const { resting, reader } = await restingPlatform({
    primaryUrl: toPrimary.through(database.apiUrl),
    env: { REPORT_WAIT_MS: '100' },
  })
  toPrimary.set('stalled')
  onTestFinished(async () => toPrimary.set('open'))
  const { status, body } = await reader.calls()
  expect([status, body.source]).toEqual([200, 'replica'])
  // It is given up after two seconds, for which the report did not wait.
  expect(resting.replica.primaryIsUp()).toBe(true)
})

test('a primary that closes its connections is missed at once, and not only when it is asked again', async () => {
  const toPrimary = await startTcpProxy(database.postgres.primaryPort)
  onTestFinished(toPrimary.close)
  const platform = await withoutTimers({ primaryUrl: toPrimary.through(database.apiUrl) })
  expect(platform.replica.primaryIsUp()).toBe(true)
  toPrimary.set('cut')
  await waitUntil('the primary to be missed', () => !platform.replica.primaryIsUp(), { timeoutMs: 10_000, everyMs: 5 })
})
