import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { emptyDatabase, freshDatabase } from '../../../platform/test-support/fresh-database.ts'
import { type Migration, MigrationFailed, migrate, readMigrations } from '../../src/postgres/migrate.ts'
import { stepsOf } from '../../src/postgres/migration-step.ts'

const COMMAND = fileURLToPath(new URL('../../src/commands/db-migrate.ts', import.meta.url))
const clients: pg.Client[] = []
beforeAll(() => emptyDatabase())
afterAll(() => Promise.all(clients.map((client) => client.end().catch(() => {}))))

async function connect(url: string, application_name = 'of a test'): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name })
  client.on('error', () => {})
  await client.connect()
  clients.push(client)
  return client
}

/** The newest schema and one migration more. */
const andThen = async (sql: string): Promise<readonly Migration[]> => [
  ...(await readMigrations()),
  { name: '9999_more', sql, checksum: 'more' },
]

const ADD_COLUMN = 'set local role hopwhistle_owner; alter table hopwhistle.call_metrics_hourly add column more integer'

/** A transaction that has read the table and stays open, as one that somebody forgot in a terminal. */
async function forgotten(url: string): Promise<pg.Client> {
  const client = await connect(url, 'a forgotten terminal')
  await client.query(`begin; select 'a caller''s name' from hopwhistle.call_metrics_hourly`)
  return client
}

test('while a migration waits for a lock, reports are read; once the lock is released, it ends', async () => {
  const { ownerUrl } = await freshDatabase()
  const holder = await forgotten(ownerUrl)
  const said: string[] = []
  let ended = false
  const migrating = migrate(await connect(ownerUrl), await andThen(ADD_COLUMN), (line) => said.push(line), {
    connect: () => connect(ownerUrl),
  }).finally(() => {
    ended = true
  })
  await waitUntil('it to say that it waits', () => said.some((line) => line.startsWith('waiting for')), {
    timeoutMs: 10_000,
  })
  const reader = await connect(ownerUrl)
  for (let i = 0; i < 100; i++) await reader.query('select count(*) from hopwhistle.call_metrics_hourly')
  expect(ended).toBe(false)
  await holder.query('commit')
  expect(await migrating).toMatchObject({ applied: ['9999_more'] })
})

function command(ownerUrl: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const env = { PATH: process.env.PATH, MIGRATION_DATABASE_URL: ownerUrl }
  return new Promise((resolve) => {
    execFile(process.execPath, [COMMAND, ...args], { env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    )
  })
}

test('the command says who holds the lock, gives up in the end, and tells what to do', async () => {
  const { ownerUrl } = await emptyDatabase()
  // From the first table on there is something to wait for.
  await migrate(await connect(ownerUrl), (await readMigrations()).slice(0, 5))
  const holder = await forgotten(ownerUrl)
  const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid')
  const pid = rows[0]?.pid
  const gaveUp = await command(ownerUrl, '--give-up-after=2')
  expect(gaveUp.code).toBe(1)
  expect(gaveUp.err).toMatch(
    new RegExp(
      `^db:migrate: waiting for AccessExclusiveLock on hopwhistle\\.call_metrics_hourly, held by pid ${pid} ` +
        '\\(a forgotten terminal, role postgres from 127\\.0\\.0\\.1\\): idle in transaction, transaction open for \\d+ s$',
      'm',
    ),
  )
  expect(gaveUp.err).toMatch(
    new RegExp(
      `^db:migrate: 0011_\\w+\\.sql: gave up waiting for a lock: .*select pg_terminate_backend\\(${pid}\\).*run this again; nothing of it was applied$`,
      'm',
    ),
  )
  expect(gaveUp.err).not.toMatch("a caller's name")
  await holder.query('rollback')
  expect(await command(ownerUrl)).toMatchObject({ code: 0 })
})

test('an instance that waits for another one that migrates says which, and gives up in the end', async () => {
  const { ownerUrl } = await freshDatabase()
  const other = await connect(ownerUrl)
  const { rows } = await other.query<{ pid: number }>(
    `select pg_backend_pid() as pid, pg_advisory_lock(hashtextextended('hopwhistle.migrate', 0))`,
  )
  const gaveUp = await command(ownerUrl, '--give-up-after=1')
  expect(gaveUp.err).toMatch(`another instance is migrating (pid ${rows[0]?.pid}); waiting for it`)
  expect(gaveUp.code).toBe(1)
})

test('a limit that is no number of seconds is wrong usage', async () => {
  const refused = await command('postgres://nowhere', '--give-up-after=soon')
  expect(refused).toMatchObject({ code: 2, err: expect.stringMatching(/--give-up-after=soon: expected whole seconds/) })
})

test('a file is split into steps that know their lines, and a mark that is not quite one is refused', () => {
  const sql = '-- why\n\n-- step\none;\n-- step outside of a transaction\n\ntwo'
  expect(stepsOf(sql)).toEqual([
    { sql: '\n\n\none;', inTransaction: true },
    { sql: '\n\n\n\n\n\ntwo', inTransaction: false },
  ])
  expect(() => stepsOf('-- step outside a transaction\ntwo')).toThrow(/line 1 is "-- step outside a transaction"/)
})

test('a step that fails names its line in the file, and those before it stay', async () => {
  const client = await connect((await freshDatabase()).ownerUrl)
  const sql = '-- step\ncreate table if not exists public.one ();\n-- step\n\nselect * from nowhere'
  await expect(migrate(client, await andThen(sql))).rejects.toThrow(
    new MigrationFailed(
      '9999_more.sql, line 5: relation "nowhere" does not exist (SQLSTATE 42P01); step 2 of 2 was not applied, the 1 before it was',
    ),
  )
  await migrate(client, await andThen(sql.replace('nowhere', 'public.one')))
})

/** Fills in 10 rows in portions of one, each committed; the first time, it is killed in the middle. */
const PORTIONS = `
-- step
set local role hopwhistle_owner;
create table if not exists hopwhistle.portions (id integer primary key, filled_in_by integer);
insert into hopwhistle.portions select generate_series(1, 10) on conflict do nothing;

-- step outside of a transaction
do $$
declare
  of_portion integer;
begin
  loop
    select min(id) into of_portion from hopwhistle.portions where filled_in_by is null;
    exit when of_portion is null;
    update hopwhistle.portions set filled_in_by = pg_backend_pid() where id = of_portion;
    commit;
    if of_portion = 5 and (select count(distinct filled_in_by) from hopwhistle.portions) = 1 then
      perform pg_terminate_backend(pg_backend_pid());
    end if;
  end loop;
end
$$;`

test('a long step that commits in portions goes on after it was killed, where it was', async () => {
  const { ownerUrl } = await freshDatabase()
  await expect(migrate(await connect(ownerUrl), await andThen(PORTIONS))).rejects.toThrow(
    /step 2 of 2 was not finished/,
  )
  const client = await connect(ownerUrl)
  await migrate(client, await andThen(PORTIONS))
  const { rows } = await client.query(
    'select count(*)::integer as portions from hopwhistle.portions group by filled_in_by order by min(id)',
  )
  expect(rows).toEqual([{ portions: 5 }, { portions: 5 }])
})

test('creating an index while others write starts again after an interruption', async () => {
  const { ownerUrl } = await freshDatabase()
  const client = await connect(ownerUrl)
  const sql = `-- step outside of a transaction
create unique index concurrently if not exists outbox_more on hopwhistle.outbox (created_at)`
  const tenant = '00000000-0000-0000-0000-000000000001'
  await client.query(`insert into hopwhistle.tenants (id, name) values ('${tenant}', 'of a test')`)
  // Two alike, so that it fails half-way and leaves an index that is not valid.
  await client.query(
    `insert into hopwhistle.outbox (tenant_id, event_ids) values ('${tenant}', '{}'), ('${tenant}', '{}')`,
  )
  await expect(migrate(client, await andThen(sql))).rejects.toThrow(/could not create unique index/)
  await client.query('delete from hopwhistle.outbox')
  await migrate(client, await andThen(sql))
  const { rows } = await client.query(
    `select indisvalid from pg_index where indexrelid = 'hopwhistle.outbox_more'::regclass`,
  )
  expect(rows).toEqual([{ indisvalid: true }])
})
