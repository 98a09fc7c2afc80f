/**
 * Brings a database to the newest schema, while instances of the version before serve.
 *
 * Any number of instances may do it at once: one migrates under an advisory lock, the others wait and then find
 * nothing to do. A migration is one transaction, or several steps; after a failure the ones before it stay applied, and
 * running it again goes on from there. It never waits long for a lock, and says who holds it: see runStep.
 */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import { type BlockerWatch, renderBlocker, watchBlockers } from './lock-blockers.ts'
import { LockNotAvailable, runStep, type Step, type StepRun, stepsOf } from './migration-step.ts'

export type Migration = { readonly name: string; readonly sql: string; readonly checksum: string }

export type MigrateOptions = {
  /** For looking who holds a lock; absent: nobody looks. */
  readonly connect?: () => Promise<Client>
  /** How long it waits in all for locks that others hold. */
  readonly giveUpAfterMs?: number
}

export type MigrateReport = { readonly applied: readonly string[]; readonly alreadyApplied: number }

/** The schema cannot be brought up to date; the message says which migration, and what to do. */
export class MigrationFailed extends Error {
  override readonly name = 'MigrationFailed'
}

const FOLDER = new URL('../../migrations/', import.meta.url)
const ASK_EVERY_MS = 200
/** Of its questions: every ten seconds. */
const SAY_EVERY = 50
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
      try {
        stepsOf(sql)
      } catch (cause) {
        throw new MigrationFailed(`${file}: ${(cause as Error).message}`, { cause })
      }
      return { name: file.slice(0, -'.sql'.length), sql, checksum: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}

const GIVE_UP_AFTER_MS = 300_000
const NOBODY_LOOKS: BlockerWatch = { take: () => [], stop: async () => {} }

/**
 * @param client a connection of its own, as a role that may create roles and schemas
 * @param say called with each step, and with the holder of a lock that is waited for, as text for people
 * @throws {MigrationFailed}
 */
export async function migrate(
  client: Client,
  migrations: readonly Migration[],
  say: (line: string) => void = () => {},
  { connect, giveUpAfterMs = GIVE_UP_AFTER_MS }: MigrateOptions = {},
): Promise<MigrateReport> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  const watch = connect === undefined ? NOBODY_LOOKS : watchBlockers(rows[0]?.pid ?? 0, connect, say)
  const run = { watch, patience: { leftMs: giveUpAfterMs } }
  try {
    await lock(client, run, say)
    await client.query('create schema if not exists hopwhistle')
    await client.query(
      `create table if not exists hopwhistle.migrations (
         name text primary key, checksum text not null, applied_at timestamptz not null default now())`,
    )
    const done = await appliedMigrations(client)
    const due = whatIsDue(migrations, done, say)
    for (const migration of due) await apply(client, migration, run, say)
    return { applied: due.map((m) => m.name), alreadyApplied: migrations.length - due.length }
  } finally {
    await watch.stop()
    await client.query(`select pg_advisory_unlock(${LOCK})`).catch(() => {})
  }
}

/**
 * Asks for the lock again and again. A statement that waited for it would keep its snapshot. The instance that has the lock
 * may run `create index concurrently`, which waits for old snapshots: the two would wait for each other.
 */
async function lock(client: Client, { patience }: StepRun, say: (line: string) => void): Promise<void> {
  const startedAt = performance.now()
  for (let asked = 0; ; asked++) {
    const { rows } = await client.query<{ locked: boolean }>(`select pg_try_advisory_lock(${LOCK}) as locked`)
    if (rows[0]?.locked === true) return
    if (asked % SAY_EVERY === 0) say(`another instance is migrating${await whoHasLock(client)}; waiting for it`)
    if (performance.now() - startedAt > patience.leftMs) {
      throw new MigrationFailed(
        `gave up waiting for another instance that is migrating${await whoHasLock(client)}; run this again when it is done`,
      )
    }
    await sleep(ASK_EVERY_MS)
  }
}

async function whoHasLock(client: Client): Promise<string> {
  const { rows } = await client.query<{ pid: number }>(
    `select pid from pg_locks
     where locktype = 'advisory' and granted and objsubid = 1 and (classid::bigint << 32 | objid::bigint) = ${LOCK}
       and database = (select oid from pg_database where datname = current_database())`,
  )
  return rows[0] === undefined ? '' : ` (pid ${rows[0].pid})`
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

async function apply(
  client: Client,
  { name, sql, checksum }: Migration,
  run: StepRun,
  say: (line: string) => void,
): Promise<void> {
  const startedAt = performance.now()
  const steps = stepsOf(sql)
  for (const [i, step] of steps.entries()) {
    const isLast = i === steps.length - 1
    const record = async () => {
      if (isLast)
        await client.query('insert into hopwhistle.migrations (name, checksum) values ($1, $2)', [name, checksum])
    }
    try {
      await runStep(client, step, run, record)
    } catch (cause) {
      throw new MigrationFailed(`${name}.sql${whereAndWhy(step, cause)}; ${whatStays(steps, i)}`, { cause })
    }
    if (steps.length > 1) say(`${name}: step ${i + 1} of ${steps.length} done`)
  }
  say(`applied ${name} in ${Math.round(performance.now() - startedAt)} ms`)
}

function whereAndWhy({ sql }: Step, cause: unknown): string {
  if (cause instanceof LockNotAvailable) {
    const pids = cause.blockers.map(({ pid }) => pid).filter((pid) => pid !== 0)
    return (
      ': gave up waiting for a lock' +
      (cause.blockers.length === 0 ? '' : `: ${cause.blockers.map(renderBlocker).join('; and ')}`) +
      `. Let that transaction end, or end it${pids.map((pid) => ` (select pg_terminate_backend(${pid}))`).join()}, and run this again`
    )
  }
  const { code, message, position } = cause as { code?: string; message: string; position?: string }
  const where = position === undefined ? '' : `, line ${sql.slice(0, Number(position)).split('\n').length}`
  return `${where}: ${message}${code === undefined ? '' : ` (SQLSTATE ${code})`}`
}

function whatStays(steps: readonly Step[], failed: number): string {
  if (steps.length === 1 && steps[0]?.inTransaction) return 'nothing of it was applied'
  const before = failed === 0 ? '' : `, the ${failed} before it ${failed === 1 ? 'was' : 'were'}`
  const itself = steps[failed]?.inTransaction ? 'was not applied' : 'was not finished'
  return `step ${failed + 1} of ${steps.length} ${itself}${before}`
}
