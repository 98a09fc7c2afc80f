/**
 * After a failover or a restore, a standby may still have what the new primary has lost. It is further in the log than the new
 * primary, and yet has nothing of what that writes.
 */
import pg from 'pg'
import { afterEach, expect, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { postgresUrl } from '../../../platform/stack/postgres-pair.ts'
import { freshDatabase } from '../../../platform/test-support/fresh-database.ts'
import { anotherReplica, ownPostgres } from '../../../platform/test-support/own-postgres.ts'
import { startTcpProxy } from '../../../platform/test-support/tcp-proxy.ts'
import { startPlatform } from './reporting-platform.ts'

const open: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close()
})

/** A primary with two standbys, of which one is promoted; an instance that follows, and reads the other one. */
async function failedOver({ lost = 0, isFollowed = false }) {
  const postgres = await ownPostgres()
  open.push(postgres.stop)
  const promoted = await anotherReplica(postgres)
  const database = await freshDatabase(postgres)
  const toPrimary = await startTcpProxy(postgres.primaryPort)
  open.push(toPrimary.close)
  const options = { database, primaryUrl: toPrimary.through(database.apiUrl) }
  const asOwner = async <T>(port: number, text: string): Promise<T> => {
    const url = postgresUrl(port, database.name, 'postgres', postgres.superuserPassword)
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      return [await client.query(text)].flat().at(-1)?.rows[0]
    } finally {
      await client.end()
    }
  }
  const running = await startPlatform(options)
  open.push(running.close)
  const tenant = await running.newTenant()
  const ringing = (callId: string) => ({ callId, state: 'RINGING' as const, atMs: Date.now() })
  await tenant.post(ringing('before'))
  const { at } = await asOwner<{ at: string }>(postgres.primaryPort, 'select pg_current_wal_flush_lsn() as at')
  const has = `select pg_last_wal_replay_lsn() >= '${at}' as there`
  await waitUntil(
    'the standby to have everything',
    async () => (await asOwner<{ there: boolean }>(promoted.port, has)).there,
    { timeoutMs: 15_000 },
  )
  if (isFollowed) {
    // Before it is promoted, so that the other one cannot have more.
    const shown = `select replace(current_setting('primary_conninfo'), '${postgres.primaryPort}', '${promoted.port}') as to`
    const { to } = await asOwner<{ to: string }>(postgres.replicaPort, shown)
    for (const setting of [`primary_conninfo = '${to.replaceAll("'", "''")}'`, `primary_slot_name = ''`])
      await asOwner(postgres.replicaPort, `alter system set ${setting}`)
    await asOwner(postgres.replicaPort, 'select pg_reload_conf()')
    const senders = 'select count(*)::integer as senders from pg_stat_replication'
    await waitUntil(
      'it to be followed',
      async () => (await asOwner<{ senders: number }>(promoted.port, senders)).senders === 1,
      { timeoutMs: 15_000 },
    )
  }
  await asOwner(promoted.port, 'select pg_promote()')
  if (lost > 0) await tenant.post(...Array.from({ length: lost }, (_, i) => ringing(`lost-${i}`)))
  if (!isFollowed) await database.replicaCaughtUp()
  toPrimary.lead(promoted.port)
  toPrimary.set('cut')
  toPrimary.set('open')
  const starting = async () => {
    const fresh = await startPlatform({ ...options, waitsForReplica: false })
    open.push(fresh.close)
    return fresh
  }
  return { postgres, promoted, asOwner, running, starting, tenant, ringing }
}

test('a standby of before is not read for what the new primary has, however far it is', {
  timeout: 180_000,
}, async () => {
  const { asOwner, postgres, promoted, running, starting, tenant, ringing } = await failedOver({ lost: 400 })
  const fresh = await starting()
  let asked = 0
  for (let i = 0; i < 5; i++) {
    const position = await tenant.post(ringing(`after-${i}`))
    for (const one of [running, fresh].map((instance) => instance.actAs(tenant.tenantId))) {
      const timeline = await one.ask(`/api/v1/calls/after-${i}?position=${position}`)
      expect(timeline.status, `call ${i}`).toBe(200)
      const startedTo = new Date(Date.now() + 3_600_000 + ++asked * 1_000).toISOString()
      const { body } = await one.calls({ position, startedTo, limit: '200' })
      const ids = body.calls.map(({ callId }: { callId: string }) => callId)
      expect([body.source, ids.length]).toEqual(['primary', i + 2])
      expect(ids).toContain(`after-${i}`)
    }
  }
  // It was indeed ahead.
  const { replayed } = await asOwner<{ replayed: string }>(
    postgres.replicaPort,
    'select pg_last_wal_replay_lsn() as replayed',
  )
  const ahead = `select pg_current_wal_flush_lsn() < '${replayed}' as ahead`
  expect(await asOwner(promoted.port, ahead)).toEqual({ ahead: true })
})

test('a standby that follows the new primary is read again, once it has kept that', { timeout: 180_000 }, async () => {
  const { asOwner, postgres, promoted, running, tenant, ringing } = await failedOver({ isFollowed: true })
  const position = await tenant.post(ringing('after'))
  const { at } = await asOwner<{ at: string }>(promoted.port, 'checkpoint; select pg_current_wal_flush_lsn() as at')
  const has = `select pg_last_wal_replay_lsn() >= '${at}' as there`
  const isThere = async () => (await asOwner<{ there: boolean }>(postgres.replicaPort, has)).there
  await waitUntil('the standby to follow', isThere, { timeoutMs: 30_000 })
  await asOwner(postgres.replicaPort, 'checkpoint')
  await waitUntil('reports to read it', () => running.replica.isUp(), { timeoutMs: 15_000 })
  const { body } = await tenant.calls({ position, limit: '200' })
  expect([body.source, body.calls.length]).toEqual(['replica', 2])
})
