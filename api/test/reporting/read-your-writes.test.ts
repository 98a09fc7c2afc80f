import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { freshDatabase } from '../../../platform/test-support/fresh-database.ts'
import { ownPostgres } from '../../../platform/test-support/own-postgres.ts'
import type { Platform, Tenant } from './reporting-platform.ts'
import { startPlatform } from './reporting-platform.ts'

/** Replay is paused here, which holds up every database of a server. */
let postgres: Awaited<ReturnType<typeof ownPostgres>>
let platform: Platform
let tenant: Tenant
beforeAll(async () => {
  postgres = await ownPostgres()
  platform = await startPlatform({ database: await freshDatabase(postgres) })
})
afterAll(async () => {
  await platform.close()
  await postgres.stop()
})
beforeEach(async () => {
  tenant = await platform.newTenant()
})

const pauseReplay = () => platform.ownerReplica.query('select pg_wal_replay_pause()')
const resumeReplay = () => platform.ownerReplica.query('select pg_wal_replay_resume()')
const ringing = (callId: string, atMs = Date.now()) => ({ callId, state: 'RINGING' as const, atMs })
const ids = (answer: { body: { calls: { callId: string }[] } }) => answer.body.calls.map((call) => call.callId)

test('a report with the position of a write shows it, whatever many writers and readers do at once', async () => {
  const read = new Set<string>()
  const writer = async (name: string) => {
    for (let i = 0; i < 25; i++) {
      const callId = `${name}-${i}`
      const position = await tenant.post(ringing(callId))
      const [list, metrics, timeline] = await Promise.all([
        tenant.calls({ position, limit: '200' }),
        tenant.metrics({ granularity: 'hour', position }),
        tenant.ask(`/api/v1/calls/${callId}`, { 'x-hopwhistle-position': position }),
      ])
      expect(ids(list)).toContain(callId)
      expect(metrics.body.totals.calls).toBeGreaterThanOrEqual(i + 1)
      expect(timeline.status).toBe(200)
      read.add(list.body.source)
    }
  }
  await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map(writer))
  expect([...read]).toContain('replica')
})

test('while the replica does not replay, a report with a position comes from the primary, and one without from the replica', async () => {
  await tenant.post(ringing('before'))
  await platform.database.replicaCaughtUp()
  await pauseReplay()
  try {
    const position = await tenant.post(ringing('after'))
    const startedAt = performance.now()
    const withPosition = await tenant.calls({ position })
    expect(performance.now() - startedAt).toBeGreaterThan(200)
    expect(withPosition.body.source).toBe('primary')
    expect(ids(withPosition)).toContain('after')

    const without = await tenant.calls({ limit: '10' })
    expect(without.body.source).toBe('replica')
    expect(ids(without)).toEqual(['before'])
  } finally {
    await resumeReplay()
  }
})

test('asOf is never later than what the report shows', async () => {
  await pauseReplay()
  try {
    const before = Date.now()
    await tenant.post(ringing('unseen'))
    const { body } = await tenant.calls()
    expect(body.calls).toEqual([])
    expect(Date.parse(body.asOf)).toBeLessThanOrEqual(before)
  } finally {
    await resumeReplay()
  }
  const written = Date.now()
  await expect
    .poll(async () => Date.parse((await tenant.calls({ limit: String(Math.ceil(Math.random() * 199)) })).body.asOf))
    .toBeGreaterThan(written)
})

test('a cached report is not given to who asks for a later position', async () => {
  const first = await tenant.post(ringing('one'))
  expect(ids(await tenant.calls({ position: first }))).toEqual(['one'])
  const again = await tenant.calls({ position: first })
  expect(again.body.source).toBe('cache')
  const second = await tenant.post(ringing('two'))
  const later = await tenant.calls({ position: second })
  expect(ids(later).toSorted()).toEqual(['one', 'two'])
  expect(later.body.source).not.toBe('cache')
})

test('a report that was read on the primary is not given from the cache to who asks with any position', async () => {
  const first = await tenant.post(ringing('one'))
  await platform.database.replicaCaughtUp()
  await pauseReplay()
  try {
    const second = await tenant.post(ringing('two'))
    expect((await tenant.calls({ position: second })).body.source).toBe('primary')
    expect((await tenant.calls()).body.source).toBe('cache')
    expect((await tenant.calls({ position: first })).body.source).toBe('replica')
  } finally {
    await resumeReplay()
  }
})

test('a later page waits until its server has all that the page before it showed', async () => {
  const at = Date.now() - 60_000
  await tenant.post(...Array.from({ length: 5 }, (_, i) => ringing(`old-${i}`, at + i)))
  await platform.database.replicaCaughtUp()
  await pauseReplay()
  try {
    const position = await tenant.post(ringing('newer', at + 1000), ringing('older', at - 1000))
    const first = await tenant.calls({ limit: '3', position })
    expect(first.body.source).toBe('primary')
    const rest = await tenant.calls({ limit: '100', cursor: first.body.nextCursor })
    expect(ids(rest)).toEqual(['old-2', 'old-1', 'old-0', 'older'])
  } finally {
    await resumeReplay()
  }
})

test('a hundred reports that wait for the replica ask it no more often than one would', async () => {
  await platform.database.replicaCaughtUp()
  await pauseReplay()
  const asked = async () => {
    const { rows } = await platform.ownerReplica.query(
      `select sum(calls)::int as calls from pg_stat_statements where query like '%pg_is_in_recovery()%pg_last_wal_replay_lsn()%as position'`,
    )
    return rows[0].calls as number
  }
  try {
    const position = await tenant.post(ringing('late'))
    const before = await asked()
    await Promise.all(Array.from({ length: 100 }, (_, i) => tenant.calls({ position, limit: String(i + 1) })))
    // 250 ms of waiting at one question every 5 ms, and the regular samples.
    const questions = (await asked()) - before
    expect(questions).toBeGreaterThan(3)
    expect(questions).toBeLessThan(80)
  } finally {
    await resumeReplay()
  }
})
