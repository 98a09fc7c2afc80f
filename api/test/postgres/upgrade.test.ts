import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { beforeAll, expect, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { connectPostgres } from '../../../platform/test-support/connect-postgres.ts'
import { emptyDatabase, freshDatabase, type TestDatabase } from '../../../platform/test-support/fresh-database.ts'
import { dumpSchema } from '../../src/postgres/dump-schema.ts'
import { type Migration, migrate, readMigrations } from '../../src/postgres/migrate.ts'
import { stepsOf } from '../../src/postgres/migration-step.ts'
import { lastRelease } from './last-release.ts'

/** What the last release has applied; without one, what the first version that others run has. */
const RELEASED = lastRelease()?.migrations.length ?? 11
// The servers take their time to start, which is no test's.
beforeAll(() => emptyDatabase())

type Upgrade = { database: TestDatabase; owner: pg.Client; tenant: string; due: readonly Migration[] }

/** A database as the released version left it, with rows in it. */
async function released(): Promise<Upgrade> {
  const database = await emptyDatabase()
  const owner = await connectPostgres(database.ownerUrl)
  const migrations = await readMigrations()
  await migrate(owner, migrations.slice(0, RELEASED))
  const tenant = randomUUID()
  await owner.query('insert into hopwhistle.tenants (id, name) values ($1, $2)', [tenant, 'of a test'])
  const api = await connectPostgres(database.apiUrl)
  for (let i = 0; i < 20; i++) await writeOne(api, tenant, `before-${i}`, i % 4)
  await owner.query('select hopwhistle.fold_call_metrics()')
  await writeMany(api, tenant, ['before-a', 'before-b'])
  return { database, owner, tenant, due: migrations.slice(RELEASED) }
}

type Written = { outcomes: string; call_states: string; batch_ids: string[]; commit_position: string }

/** As 0.1.0 calls it. The first version that no longer has this changes the test to the calls of the release before. */
async function writeOne(api: pg.Client, tenant: string, event: string, state = 1, published: readonly string[] = []) {
  const { rows } = await api.query<Written>(
    'call hopwhistle.commit_call_event($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, null, null, null, null, null)',
    [tenant, event, `call of ${event}`, state, Date.now(), Date.now() * 1000, 0, '+1', '+2', '{"a":1}', published],
  )
  return rows[0] as Written
}

/** As 0.1.0 calls it. */
async function writeMany(api: pg.Client, tenant: string, events: readonly string[], published: readonly string[] = []) {
  const each = <T>(value: T) => events.map(() => value)
  const { rows } = await api.query<Written>(
    'call hopwhistle.commit_call_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, null, null, null, null, null)',
    [
      [tenant],
      each(tenant),
      events,
      events.map((event) => `call of ${event}`),
      each(1),
      each(Date.now()),
      each(Date.now() * 1000),
      each(0),
      each('+1'),
      each('+2'),
      each('{"a":1}'),
      published,
    ],
  )
  return rows[0] as Written
}

const TABLES = `
  select c.oid, c.relname as name, c.relfilenode from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'hopwhistle' and c.relkind in ('r', 'p') order by c.relname`

async function filesAndRows(owner: pg.Client) {
  const { rows: tables } = await owner.query<{ name: string; relfilenode: number }>(TABLES)
  const found: Record<string, { file: number; rows: string }> = {}
  for (const { name, relfilenode } of tables) {
    if (name === 'migrations') continue
    const { rows } = await owner.query<{ rows: string }>(
      `select coalesce(string_agg(format('%s %s %s', tableoid, ctid, xmin), ',' order by tableoid, ctid), '') as rows from hopwhistle.${name}`,
    )
    found[name] = { file: relfilenode, rows: rows[0]?.rows ?? '' }
  }
  return found
}

/** The migration, with what tells after each step in a transaction which tables the step has locked against readers. */
function watched({ name, sql, checksum }: Migration): Migration {
  const steps = stepsOf(sql).map(({ sql, inTransaction }) =>
    inTransaction
      ? `-- step\n${sql}\n; reset role; insert into public.locked select array_agg(distinct root::text) from (
           select coalesce(pg_partition_root(relation), relation)::regclass as root
           from pg_locks join public.there on there.oid = relation
           where pid = pg_backend_pid() and mode = 'AccessExclusiveLock') l;`
      : `-- step outside of a transaction\n${sql}`,
  )
  return { name, sql: steps.join('\n'), checksum }
}

test('a migration rewrites no table, updates no rows at one go, and locks one table at a time', async () => {
  const { owner, due } = await released()
  await owner.query(`create table public.there as ${TABLES}; create table public.locked (tables text[])`)
  for (const migration of due) {
    const before = await filesAndRows(owner)
    await owner.query('truncate public.locked')
    await migrate(owner, [watched(migration)])
    const after = await filesAndRows(owner)
    const steps = stepsOf(migration.sql)
    for (const [table, { file, rows }] of Object.entries(before)) {
      const what = `${table}, after ${migration.name}`
      expect(after[table]?.file, `the file of ${what}: another one is a rewrite`).toBe(file)
      if (steps.every(({ inTransaction }) => inTransaction))
        expect(after[table]?.rows, `places of the rows of ${what}`).toBe(rows)
    }
    const { rows: locked } = await owner.query<{ tables: string[] | null }>('select tables from public.locked')
    expect(locked).toHaveLength(steps.filter(({ inTransaction }) => inTransaction).length)
    for (const { tables } of locked) {
      expect(tables?.length ?? 0, `${migration.name} locks ${tables?.join(' and ')} in one step`).toBeLessThan(2)
    }
  }
})

test('a migration of several steps can be cut off after any of them and run again', async () => {
  const { owner, due } = await released()
  for (const { name, sql, checksum } of due) {
    const steps = stepsOf(sql)
    for (let count = 1; count < steps.length; count++) {
      const first = steps
        .slice(0, count)
        .map(({ sql, inTransaction }) => `-- step${inTransaction ? '' : ' outside of a transaction'}\n${sql}`)
      await migrate(owner, [{ name: `${name} until ${count}`, sql: first.join('\n'), checksum }])
    }
    await migrate(owner, [{ name, sql, checksum }])
  }
  expect(await dumpSchema(owner)).toBe(await dumpSchema(await connectPostgres((await freshDatabase()).ownerUrl)))
})

test('instances of the released version write all through the upgrade, and none of their events fails', async () => {
  const { database, owner, tenant, due } = await released()
  let done = false
  const writers = [writeOne, writeMany, writeOne, writeMany].map(async (write, writer) => {
    const api = await connectPostgres(database.apiUrl)
    let published: readonly string[] = []
    let written = 0
    for (let afterwards = 0; afterwards < 5; written++) {
      if (done) afterwards++
      const event = `during-${writer}-${written}`
      const { outcomes, batch_ids } =
        write === writeOne
          ? await writeOne(api, tenant, event, 1, published)
          : await writeMany(api, tenant, [event], published)
      expect(outcomes).toBe('0')
      published = batch_ids
    }
    return written
  })
  await migrate(owner, due).finally(() => {
    done = true
  })
  const counts = await Promise.all(writers)
  const { rows } = await owner.query(`
    select count(*)::integer as events, count(distinct call_id)::integer as calls
    from hopwhistle.call_events where event_id like 'during-%'`)
  const sum = counts.reduce((a, b) => a + b)
  expect(rows).toEqual([{ events: sum, calls: sum }])
})

test('what the released version has under way while a migration replaces its functions, is committed', async () => {
  const { database, owner, tenant, due } = await released()
  const steps = due.flatMap(({ sql }) => stepsOf(sql))
  const run = async (from: number, to: number) => {
    for (const { sql, inTransaction } of steps.slice(from, to)) {
      // The others wait for every transaction that is under way, and replace nothing.
      if (inTransaction) await owner.query(`begin; ${sql}\n; reset role; commit`)
    }
  }
  // The table that it waits for below, so that only this one is not migrated meanwhile.
  await run(0, 1)
  const holder = await connectPostgres(database.ownerUrl)
  await holder.query('begin; lock table hopwhistle.outbox in share mode')
  const [one, many] = [await connectPostgres(database.apiUrl), await connectPostgres(database.apiUrl)]
  const writing = Promise.all([
    writeOne(one, tenant, 'under-way-1', 1, ['1']),
    writeMany(many, tenant, ['under-way-2', 'under-way-3'], ['2']),
  ])
  await waitUntil(
    'both to wait for the outbox',
    async () => {
      const { rows } = await holder.query<{ n: number }>(
        `select count(*)::integer as n from pg_locks where relation = 'hopwhistle.outbox'::regclass and not granted`,
      )
      return rows[0]?.n === 2
    },
    { timeoutMs: 10_000 },
  )
  await run(1, steps.length)
  await holder.query('commit')
  expect(await writing).toMatchObject([{ outcomes: '0' }, { outcomes: '00' }])
})

test('every function that the released version calls is still there for it', async () => {
  const { database, owner, tenant, due } = await released()
  await migrate(owner, due)
  const api = await connectPostgres(database.apiUrl)
  expect(await writeOne(api, tenant, 'after-1', 0)).toMatchObject({ outcomes: '0', call_states: '0' })
  expect(await writeOne(api, tenant, 'after-1', 1)).toMatchObject({ outcomes: '5', call_states: '0' })
  expect(await writeMany(api, tenant, ['after-2', 'after-3'])).toMatchObject({ outcomes: '00', call_states: '11' })
  const { rows: stale } = await api.query(
    `select batch_id, tenant_id, event_ids from hopwhistle.lock_stale_outbox($1 * interval '1 millisecond', $2)`,
    [0, 1],
  )
  expect(stale).toMatchObject([{ tenant_id: tenant }])
  await api.query('select hopwhistle.forget_published($1)', [stale.map(({ batch_id }) => batch_id)])
  await api.query('select hopwhistle.fold_call_metrics()')
  await api.query(`select * from hopwhistle.forget_old_calls(interval '1 day', interval '1 day', 10)`)
  await api.query('select key_id, tenant_id, scopes from hopwhistle.authenticate($1)', [Buffer.alloc(32)])
})

test('a state or direction that there is not, is refused by what old and new versions write with', async () => {
  const { database, owner, tenant, due } = await released()
  await migrate(owner, due)
  const api = await connectPostgres(database.apiUrl)
  await expect(writeOne(api, tenant, 'wrong', 9)).rejects.toMatchObject({ code: '23514' })
  await expect(
    api.query(
      'call hopwhistle.commit_call_event($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, null, null, null, null, null, null)',
      [tenant, 'wrong', 'call', 1, 0, 0, 2, null, null, null, null, 1, []],
    ),
  ).rejects.toMatchObject({ code: '23514' })
})

test('calls from before have their numbers in the normal form afterwards, and their events as they were sent', async () => {
  const { owner, tenant, due } = await released()
  // More than are changed at a time, of which every third has another notation.
  await owner.query(
    `insert into hopwhistle.calls (tenant_id, call_id, started_at, updated_at, state, from_number, to_number)
     select $1, 'old-' || i, now(), now(), 0, case when i % 3 = 0 then 'tel:+49-30-' || i else '+4930' || i end, 'client:tommy'
     from generate_series(1000, 5999) i`,
    [tenant],
  )
  await owner.query(`update hopwhistle.call_events set from_number = '+49 30 1234' where event_id = 'before-1'`)
  await migrate(owner, due)
  const { rows } = await owner.query<{ calls: number }>(
    `select count(*)::integer as calls from hopwhistle.calls
     where call_id like 'old-%' and from_number = '+4930' || substr(call_id, 5) and to_number = 'client:tommy'`,
  )
  expect(rows).toEqual([{ calls: 5000 }])
  const events = await owner.query(`select from_number from hopwhistle.call_events where event_id = 'before-1'`)
  expect(events.rows).toEqual([{ from_number: '+49 30 1234' }])
})
