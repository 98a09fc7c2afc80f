import type pg from 'pg'
import { beforeAll, expect, test } from 'vitest'
import { connectPostgres } from '../../../platform/test-support/connect-postgres.ts'
import type { TestDatabase } from '../../../platform/test-support/fresh-database.ts'
import { freshDatabase } from '../../../platform/test-support/fresh-database.ts'

let database: TestDatabase
let owner: pg.Client
let api: pg.Client
const [ONE, OTHER] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222']

beforeAll(async () => {
  database = await freshDatabase()
  owner = await connectPostgres(database.ownerUrl)
  api = await connectPostgres(database.apiUrl)
  for (const tenant of [ONE, OTHER]) {
    await owner.query('insert into hopwhistle.tenants (id, name) values ($1, $2)', [tenant, tenant])
    await owner.query(
      `insert into hopwhistle.api_keys (tenant_id, name, key_hash, scopes) values ($1, 'key', sha256($2::text::bytea), '{reports:read}')`,
      [tenant, `key of ${tenant}`],
    )
    await owner.query(
      `insert into hopwhistle.calls (tenant_id, call_id, started_at, updated_at, state) values ($1, 'call', now(), now(), 0)`,
      [tenant],
    )
    await owner.query(`insert into hopwhistle.outbox (tenant_id, event_ids) values ($1, '{e}')`, [tenant])
  }
})

const TABLES = [
  'call_events',
  'calls',
  'outbox',
  'call_metrics_pending',
  'call_metrics_quarterly',
  'call_metrics_hourly',
  'call_metrics_daily',
  'call_changes',
  'webhooks',
  'webhook_log',
]

async function asTenants<T>(tenants: string, use: () => Promise<T>): Promise<T> {
  await api.query('begin')
  try {
    await api.query(`select set_config('hopwhistle.tenant_ids', $1, true)`, [tenants])
    return await use()
  } finally {
    await api.query('rollback')
  }
}

test('the API sees no row of any table until it names tenants, and then only theirs', async () => {
  for (const table of TABLES) expect((await api.query(`select from hopwhistle.${table}`)).rowCount, table).toBe(0)
  const seen = () =>
    api.query('select tenant_id from hopwhistle.calls order by 1').then(({ rows }) => rows.map((row) => row.tenant_id))
  expect(await asTenants(`{${ONE}}`, seen)).toEqual([ONE])
  expect(await asTenants(`{${ONE},${OTHER}}`, seen)).toEqual([ONE, OTHER])
  expect(await asTenants('{}', seen)).toEqual([])
  // The setting ended with its transaction.
  expect(await seen()).toEqual([])
})

test('the API cannot write a row of a tenant that it did not name', async () => {
  const write = () => api.query(`insert into hopwhistle.outbox (tenant_id, event_ids) values ($1, '{}')`, [OTHER])
  await expect(asTenants(`{${ONE}}`, write)).rejects.toThrow(/row-level security/)
  const move = () => api.query('update hopwhistle.calls set tenant_id = $1', [OTHER])
  await expect(asTenants(`{${ONE}}`, move)).rejects.toThrow(/row-level security/)
})

test('every table with a tenant has row-level security, forced on its owner too', async () => {
  const { rows } = await owner.query<{ relname: string }>(
    `select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
     where c.relnamespace = 'hopwhistle'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
       and not (c.relrowsecurity and c.relforcerowsecurity)`,
  )
  expect(rows).toEqual([])
})

test('the API cannot go around a table by its partitions', async () => {
  await expect(api.query('select from hopwhistle.call_events_0')).rejects.toThrow(/permission denied/)
})

test('the API owns nothing, creates nothing, reads no keys and changes no rollups', async () => {
  for (const denied of [
    'create table hopwhistle.mine ()',
    'select from hopwhistle.api_keys',
    'insert into hopwhistle.token_keys default values',
    'delete from hopwhistle.token_keys',
    'delete from hopwhistle.migrations',
    'delete from hopwhistle.calls',
    'delete from hopwhistle.call_events',
    'truncate hopwhistle.calls',
    'update hopwhistle.call_metrics_hourly set calls = 0',
    'delete from hopwhistle.call_metrics_pending',
    'delete from hopwhistle.call_changes',
    'update hopwhistle.call_changes_kept set since = now()',
    'select from hopwhistle.tenant_audit',
    'select hopwhistle.note_changed_calls(null, null)',
    'alter table hopwhistle.calls disable row level security',
    'set role hopwhistle_owner',
  ]) {
    await expect(api.query(denied), denied).rejects.toThrow(/permission denied|must be owner/)
  }
})

test('a key is found by its hash until it is revoked', async () => {
  const find = (key: string) =>
    api
      .query('select tenant_id, scopes from hopwhistle.authenticate(sha256($1::text::bytea))', [key])
      .then(({ rows }) => rows)
  expect(await find(`key of ${ONE}`)).toEqual([{ tenant_id: ONE, scopes: ['reports:read'] }])
  expect(await find('another')).toEqual([])
  await owner.query('update hopwhistle.api_keys set revoked_at = now() where tenant_id = $1', [ONE])
  expect(await find(`key of ${ONE}`)).toEqual([])
})
