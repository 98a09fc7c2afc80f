import { existsSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import pg from 'pg'
import { expect, onTestFinished, test, vi } from 'vitest'
import { waitUntil } from '../../lib/wait-until.ts'
import { isAlive } from '../../machine/process-identity.ts'
import { startGuard } from '../../stack/guard.ts'
import type { PostgresPair } from '../../stack/postgres-pair.ts'
import { postgresUrl, startPostgresPair } from '../../stack/postgres-pair.ts'
import { makeTempDir } from '../../stack/run-as.ts'
import { settlePostgres } from '../../stack/settle-postgres.ts'

vi.setConfig({ testTimeout: 60_000 })

function tempDir(): string {
  const dir = makeTempDir("hopwhistle-pair's test-")
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

async function pair(): Promise<{ pair: PostgresPair; dir: string }> {
  const dir = tempDir()
  const guard = startGuard()
  guard.remove(dir)
  onTestFinished(() => guard.off())
  const pair = await startPostgresPair({ dir, guard, settings: { fsync: 'off', shared_buffers: '32MB' } })
  onTestFinished(() => pair.stop())
  return { pair, dir }
}

async function query(port: number, password: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: postgresUrl(port, 'postgres', 'postgres', password) })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

test('what the primary commits arrives at the replica, which refuses writes', async () => {
  const { primary, replica, superuserPassword } = (await pair()).pair
  await query(primary.port, superuserPassword, 'create table seen as select 7 as n')
  const rows = await waitUntil(
    'the row to arrive',
    () => query(replica.port, superuserPassword, 'select n from seen'),
    { timeoutMs: 10_000 },
  )
  expect(rows).toEqual([{ n: 7 }])
  await expect(query(replica.port, superuserPassword, 'create table more ()')).rejects.toThrow(/read-only/)
})

test('settling waits for a database that the replica does not have yet', async () => {
  const { primary, replica, superuserPassword } = (await pair()).pair
  const url = (port: number) => postgresUrl(port, 'fresh', 'postgres', superuserPassword)
  await query(replica.port, superuserPassword, 'select pg_wal_replay_pause()')
  await query(primary.port, superuserPassword, 'create database fresh')
  const settled = settlePostgres({ primaryUrl: url(primary.port), replicaUrl: url(replica.port) })
  // Ten questions of ours take longer than its first look at the replica.
  const questions = async () => {
    for (let i = 0; i < 10; i++) await query(replica.port, superuserPassword, 'select 1')
    return 'still waiting'
  }
  expect(await Promise.race([settled, questions()])).toBe('still waiting')
  await query(replica.port, superuserPassword, 'select pg_wal_replay_resume()')
  await settled
  expect(
    await query(replica.port, superuserPassword, "select 1 from pg_database where datname = 'fresh'"),
  ).toHaveLength(1)
})

test('it is as durable as production, and its slot keeps what the replica still needs', async () => {
  const dir = tempDir()
  const pair = await startPostgresPair({ dir })
  onTestFinished(() => pair.stop())
  const rows = await query(
    pair.primary.port,
    pair.superuserPassword,
    `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as synchronous_commit,
       current_setting('max_connections') as max_connections, current_setting('listen_addresses') as listens,
       (select active from pg_replication_slots) as slot_in_use,
       current_setting('shared_preload_libraries') as preloaded`,
  )
  expect(rows).toEqual([
    {
      fsync: 'on',
      synchronous_commit: 'on',
      max_connections: '100',
      listens: '127.0.0.1',
      slot_in_use: true,
      preloaded: 'pg_stat_statements',
    },
  ])
})

test('no client can connect without the password', async () => {
  const { primary, replica } = (await pair()).pair
  for (const { port } of [primary, replica]) {
    await expect(query(port, 'wrong', 'select 1')).rejects.toThrow(/password authentication failed/)
  }
})

test('after stop there is no process and no folder', async () => {
  const { pair: started, dir } = await pair()
  await started.stop()
  expect(isAlive(started.primary.process)).toBe(false)
  expect(isAlive(started.replica.process)).toBe(false)
  expect(existsSync(`${dir}/postgres`)).toBe(false)
})

test('a port that is taken is named', async () => {
  const server = createServer()
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
  )
  onTestFinished(() => void server.close())
  const dir = tempDir()
  await expect(startPostgresPair({ dir, primaryPort: port })).rejects.toThrow(
    `port ${port} for the postgres primary is in use`,
  )
  expect(existsSync(`${dir}/postgres`)).toBe(false)
})
