/**
 * Brings a database to the newest schema.
 *
 * Any number of instances may do it at once: one migrates under an advisory lock, the others wait and then find
 * nothing to do. Each migration is one transaction; after a failure the ones before it stay applied, and running it
 * again goes on from there.
 */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import type { Client } from 'pg'

export type Migration = { readonly name: string; readonly sql: string; readonly checksum: string }

export type MigrateReport = { readonly applied: readonly string[]; readonly alreadyApplied: number }

/** The schema cannot be brought up to date; the message says which migration, and what to do. */
export class MigrationFailed extends Error {
  override readonly name = 'MigrationFailed'
}

const FOLDER = new URL('../../migrations/', import.meta.url)
const LOCK = "hashtextextended('hopwhistle.migrate', 0)"

/** The migrations of this version, in order. @throws {MigrationFailed} for a file that is not NNNN_name.sql or a number used twice */
export async function readMigrations(folder: URL = FOLDER): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  names.forEach((name, i) => {
    if (!/^\d{4}_[a-z0-9_]+\.sql$/.test(name))
      throw new MigrationFailed(`${name} is not named like 0001_what_it_does.sql`)
    if (name.slice(0, 4) === names[i - 1]?.slice(0, 4))
      throw new MigrationFailed(`${name} has the same number as ${names[i - 1]}`)
  })
  return Promise.all(
    names.map(async (file) => {
      const sql = await readFile(new URL(file, folder), 'utf8')
      return { name: file.slice(0, -'.sql'.length), sql, checksum: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}

/**
 * @param client a connection of its own, as a role that may create roles and schemas
 * @param say told each step, for people
 * @throws {MigrationFailed}
 */
export async function migrate(
  client: Client,
  migrations: readonly Migration[],
  say: (line: string) => void = () => {},
): Promise<MigrateReport> {
  await lock(client, say)
  try {
    await client.query('create schema if not exists hopwhistle')
    await client.query(
      `create table if not exists hopwhistle.migrations (
         name text primary key, checksum text not null, applied_at timestamptz not null default now())`,
    )
    const done = await appliedMigrations(client)
    const due = whatIsDue(migrations, done, say)
    for (const migration of due) await apply(client, migration, say)
    return { applied: due.map((m) => m.name), alreadyApplied: migrations.length - due.length }
  } finally {
    await client.query(`select pg_advisory_unlock(${LOCK})`).catch(() => {})
  }
}

async function lock(client: Client, say: (line: string) => void): Promise<void> {
  const { rows } = await client.query<{ locked: boolean }>(`select pg_try_advisory_lock(${LOCK}) as locked`)
  if (rows[0]?.locked === true) return
  say('another instance is migrating; waiting for it')
  await client.query(`select pg_advisory_lock(${LOCK})`)
}

async function appliedMigrations(client: Client): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ name: string; checksum: string }>(
    'select name, checksum from hopwhistle.migrations',
  )
  return new Map(rows.map((row) => [row.name, row.checksum]))
}

function whatIsDue(
  migrations: readonly Migration[],
  done: ReadonlyMap<string, string>,
  say: (line: string) => void,
): readonly Migration[] {
  const known = new Set(migrations.map((m) => m.name))
  const newer = [...done.keys()].filter((name) => !known.has(name))
  if (newer.length > 0) say(`the database is ahead of this version: it also has ${newer.join(', ')}`)
  for (const { name, checksum } of migrations) {
    const before = done.get(name)
    if (before !== undefined && before !== checksum) {
      throw new MigrationFailed(
        `${name}.sql was changed after it had been applied (its SHA-256 was ${before.slice(0, 12)}…, now ${checksum.slice(0, 12)}…); ` +
          'put it back as it was and write a new migration instead',
      )
    }
  }
  return migrations.filter((m) => !done.has(m.name))
}

/** Roles belong to the whole server: another database's migration may touch the same one at the same moment. */
const ROLE_RACES = new Set(['XX000', '23505', '42710'])
const ROLE_RACE_ATTEMPTS = 5

async function apply(client: Client, { name, sql, checksum }: Migration, say: (line: string) => void): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const startedAt = performance.now()
    try {
      await client.query('begin')
      await client.query(sql)
      await client.query('reset role')
      await client.query('insert into hopwhistle.migrations (name, checksum) values ($1, $2)', [name, checksum])
      await client.query('commit')
      say(`applied ${name} in ${Math.round(performance.now() - startedAt)} ms`)
      return
    } catch (cause) {
      await client.query('rollback').catch(() => {})
      const { code, message, position } = cause as { code?: string; message: string; position?: string }
      if (code !== undefined && ROLE_RACES.has(code) && attempt < ROLE_RACE_ATTEMPTS) continue
      throw new MigrationFailed(
        `${name}.sql${position === undefined ? '' : `, line ${lineOf(sql, Number(position))}`}: ${message}` +
          `${code === undefined ? '' : ` (SQLSTATE ${code})`}; nothing of it was applied`,
        { cause },
      )
    }
  }
}

function lineOf(sql: string, position: number): number {
  return sql.slice(0, position).split('\n').length
}
