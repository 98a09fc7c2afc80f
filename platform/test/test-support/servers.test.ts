import { Redis } from 'ioredis'
import pg from 'pg'
import { expect, test } from 'vitest'
import { freshDatabase } from '../../test-support/fresh-database.ts'
import { freshRedis } from '../../test-support/fresh-redis.ts'

async function ask(url: string, text: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query({ text, rowMode: 'array' })).rows[0]?.[0]
  } finally {
    await client.end()
  }
}

test('a fresh database is migrated, empty and on the replica too', async () => {
  const database = await freshDatabase()
  const calls = 'select count(*)::int from hopwhistle.calls'
  expect(await ask(database.apiUrl, 'select current_user::text')).toBe('hopwhistle_api')
  expect(await ask(database.apiUrl, calls)).toBe(0)
  expect(await ask(database.replicaUrl, calls)).toBe(0)
  expect(await ask(database.replicaUrl, 'select pg_is_in_recovery()')).toBe(true)
})

test('what is committed is on the replica once it has caught up', async () => {
  const database = await freshDatabase()
  await ask(database.ownerUrl, 'create table public.seen as select 7 as n')
  await database.replicaCaughtUp()
  expect(await ask(database.ownerReplicaUrl, 'select n from public.seen')).toBe(7)
})

test('two fresh databases do not see each other', async () => {
  const [one, other] = await Promise.all([freshDatabase(), freshDatabase()])
  await ask(one.ownerUrl, 'create table public.mine ()')
  expect(await ask(other.ownerUrl, "select to_regclass('public.mine')::text")).toBeNull()
})

test('a Redis that was stopped comes back on its port, empty', async () => {
  const redis = await freshRedis()
  const client = new Redis(redis.url)
  client.on('error', () => {})
  await client.set('a', '1')
  await redis.stop()
  await redis.start()
  expect(await client.get('a')).toBeNull()
  client.disconnect()
})
