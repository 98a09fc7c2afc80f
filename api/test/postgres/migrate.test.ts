import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { connectPostgres } from '../../../platform/test-support/connect-postgres.ts'
import { emptyDatabase, freshDatabase } from '../../../platform/test-support/fresh-database.ts'
import { dumpSchema } from '../../src/postgres/dump-schema.ts'
import { MigrationFailed, migrate, readMigrations } from '../../src/postgres/migrate.ts'
import { scramVerifier } from '../../src/postgres/set-role-password.ts'

const COMMAND = fileURLToPath(new URL('../../src/commands/db-migrate.ts', import.meta.url))

function command(env: Record<string, string>, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [COMMAND, ...args], { env: { PATH: process.env.PATH, ...env } }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    )
  })
}

test('many instances at once migrate a database once', async () => {
  const database = await emptyDatabase()
  const migrations = await readMigrations()
  const instances = await Promise.all(Array.from({ length: 6 }, () => connectPostgres(database.ownerUrl)))
  const reports = await Promise.all(instances.map((client) => migrate(client, migrations)))
  expect(reports.map((report) => report.applied.length).sort()).toEqual([0, 0, 0, 0, 0, migrations.length])
})

test('a migration that fails leaves nothing of itself, says where, and is tried again the next time', async () => {
  const client = await connectPostgres((await emptyDatabase()).ownerUrl)
  const one = { name: '0001_one', sql: 'create table public.one ()', checksum: '1' }
  const two = { name: '0002_two', sql: 'create table public.two ();\n\nselect * from nowhere', checksum: '2' }
  await expect(migrate(client, [one, two])).rejects.toThrow(
    new MigrationFailed(
      '0002_two.sql, line 3: relation "nowhere" does not exist (SQLSTATE 42P01); nothing of it was applied',
    ),
  )
  const mended = { ...two, sql: 'create table public.two ()' }
  expect(await migrate(client, [one, mended])).toEqual({ applied: ['0002_two'], alreadyApplied: 1 })
})

test('a migration that was changed after it had been applied is refused', async () => {
  const client = await connectPostgres((await emptyDatabase()).ownerUrl)
  const one = { name: '0001_one', sql: 'select 1', checksum: 'before' }
  await migrate(client, [one])
  await expect(migrate(client, [{ ...one, checksum: 'after' }])).rejects.toThrow(
    /0001_one\.sql was changed after it had been applied/,
  )
})

test('a database that is ahead of this version is left as it is', async () => {
  const client = await connectPostgres((await emptyDatabase()).ownerUrl)
  const said: string[] = []
  await migrate(client, [
    { name: '0001_one', sql: 'select 1', checksum: '1' },
    { name: '0002_two', sql: 'select 1', checksum: '2' },
  ])
  await migrate(client, [{ name: '0001_one', sql: 'select 1', checksum: '1' }], (line) => said.push(line))
  expect(said).toEqual(['the database is ahead of this version: it also has 0002_two'])
})

test('a role that is no superuser, but may create roles and owns the database, can migrate it', async () => {
  const database = await emptyDatabase()
  const superuser = await connectPostgres(database.ownerUrl)
  await superuser.query(`create role a_deployer login createrole password 'secret'`)
  await superuser.query(`alter database ${database.name} owner to a_deployer`)
  // As on a server of its own, it made the roles; here an earlier test did.
  await superuser.query('grant hopwhistle_owner to a_deployer with admin option')
  const url = new URL(database.ownerUrl)
  url.username = 'a_deployer'
  url.password = 'secret'
  const said = await command({ MIGRATION_DATABASE_URL: url.href })
  expect(said.err).toMatch('up to date')
  expect(said.code).toBe(0)
})

test('the command explains itself, tells usage from failure by its exit code, and never shows a password', async () => {
  expect(await command({}, '--help')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/MIGRATION_DATABASE_URL.*required/),
  })
  expect(await command({})).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^db:migrate: MIGRATION_DATABASE_URL is not set/),
  })
  expect(await command({ MIGRATION_DATABASE_URL: 'mysql://u:hunter2@h/d' })).toMatchObject({
    code: 2,
    err: expect.not.stringMatching('hunter2'),
  })
  expect(await command({}, '--frobnicate')).toMatchObject({
    code: 2,
    err: expect.stringMatching('unknown argument --frobnicate'),
  })
  const away = await command({ MIGRATION_DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/d' })
  expect(away).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^db:migrate: cannot connect to 127\.0\.0\.1:1\/d: .*ECONNREFUSED/),
  })
  expect(away.err).not.toMatch('hunter2')
})

test('the verifier of a password is the one that Postgres makes itself', () => {
  // From a server: create role … password 'pencil', with this salt.
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
  expect(scramVerifier('pencil', salt)).toBe(
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
  )
})

test('api/schema.sql is what the migrations make; npm run db:dump:schema writes it', async () => {
  const client = await connectPostgres((await freshDatabase()).ownerUrl)
  expect(await dumpSchema(client)).toBe(await readFile(new URL('../../schema.sql', import.meta.url), 'utf8'))
})
