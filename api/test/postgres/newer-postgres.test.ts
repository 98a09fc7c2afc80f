/** Follows docs/upgrading.md from Postgres 15 to the newest that Hopwhistle runs on, with the commands of that page. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { describe, expect, onTestFinished, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { runDatabaseCommand } from '../../../platform/stack/database-command.ts'
import { startGuard } from '../../../platform/stack/guard.ts'
import { postgresUrl, startPostgresPair } from '../../../platform/stack/postgres-pair.ts'
import { makeTempDir } from '../../../platform/stack/run-as.ts'
import { connectPostgres } from '../../../platform/test-support/connect-postgres.ts'
import type { TestDatabase } from '../../../platform/test-support/fresh-database.ts'
import { commands } from '../examples/documents.ts'
import { anEvent, get, type Platform, post, runningPlatform } from '../platform/running-platform.ts'

const OLD_BIN = '/usr/lib/postgresql/15/bin'
const NEEDED = ['initdb', 'postgres', 'psql', 'pg_dump', 'pg_dumpall', 'pg_restore']
const MISSING = NEEDED.some((program) => !existsSync(join(OLD_BIN, program)))
const NEEDS = MISSING ? ' (missing: postgresql-15, with its client)' : ''
const DATABASE = 'hopwhistle'

/** The shell blocks below a heading, without what is to be filled in. */
function commandsBelow(heading: string): readonly string[] {
  const page = readFileSync(fileURLToPath(new URL('../../../docs/upgrading.md', import.meta.url)), 'utf8')
  const [, section = ''] = page.split(`### ${heading}\n`)
  const blocks = [...(section.split(/^##/m)[0] ?? '').matchAll(/^( *)```bash\n([\s\S]*?)^ *```$/gm)]
  return blocks
    .flatMap(([, indent = '', text = '']) => commands(text.replaceAll(new RegExp(`^${indent}`, 'gm'), '')))
    .filter((command) => !command.startsWith('export '))
}

type Server = Awaited<ReturnType<typeof startPostgresPair>>

/** @param bin of Debian's; undefined: the one that the local stack runs */
async function server(bin: string | undefined): Promise<Server> {
  const dir = join(makeTempDir('hopwhistle-newer-'), 'pair')
  mkdirSync(dir, { mode: 0o711 })
  const guard = startGuard()
  guard.remove(dir)
  const before = process.env.HOPWHISTLE_POSTGRES_BIN
  process.env.HOPWHISTLE_POSTGRES_BIN = bin ?? ''
  try {
    const pair = await startPostgresPair({ dir, guard, settings: { fsync: 'off', shared_buffers: '64MB' } })
    onTestFinished(async () => {
      await pair.stop()
      guard.off()
      rmSync(join(dir, '..'), { recursive: true, force: true })
    })
    return pair
  } finally {
    process.env.HOPWHISTLE_POSTGRES_BIN = before ?? ''
  }
}

function databaseOn({ version, primary, replica, superuserPassword }: Server, apiPassword: string): TestDatabase {
  const url = (port: number, role: 'postgres' | 'hopwhistle_api') =>
    postgresUrl(port, DATABASE, role, role === 'postgres' ? superuserPassword : apiPassword)
  return {
    name: DATABASE,
    apiUrl: url(primary.port, 'hopwhistle_api'),
    replicaUrl: url(replica.port, 'hopwhistle_api'),
    ownerUrl: url(primary.port, 'postgres'),
    ownerReplicaUrl: url(replica.port, 'postgres'),
    postgres: {
      ...{ id: '', version, template: '', superuserPassword, apiPassword },
      ...{ primaryPort: primary.port, primaryPid: primary.process.pid },
      ...{ replicaPort: replica.port, replicaPid: replica.process.pid },
    },
    replicaCaughtUp: () => caughtUp(url(primary.port, 'postgres'), url(replica.port, 'postgres')),
  }
}

async function caughtUp(primaryUrl: string, replicaUrl: string): Promise<void> {
  const [primary, replica] = [await connectPostgres(primaryUrl), await connectPostgres(replicaUrl)]
  const { rows } = await primary.query<{ at: string }>('select pg_current_wal_flush_lsn() as at')
  const reached = async () =>
    (await replica.query('select where pg_last_wal_replay_lsn() >= $1::pg_lsn', [rows[0]?.at])).rowCount === 1
  await waitUntil('the replica to have everything', reached, { timeoutMs: 60_000, everyMs: 50 })
}

const migrate = async (ownerUrl: string, apiPassword?: string): Promise<string> => {
  const said: string[] = []
  const given = apiPassword === undefined ? {} : { apiPassword }
  await runDatabaseCommand('db-migrate', { ownerUrl, ...given, onLine: (line) => said.push(line) })
  return said.join('\n')
}

/** Every row of every table, as text, by table; and where every sequence is. */
async function everything(url: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const client = await connectPostgres(url)
  const { rows: tables } = await client.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'hopwhistle' and c.relkind = 'r' order by 1`,
  )
  const found = new Map<string, readonly string[]>()
  for (const { name } of tables) {
    const { rows } = await client.query<{ row: string }>(`select t::text as row from ${name} t`)
    found.set(name, rows.map(({ row }) => row).sort())
  }
  const { rows: sequences } = await client.query<{ name: string; last: string | null }>(
    `select sequencename as name, last_value as last from pg_sequences where schemaname = 'hopwhistle' order by 1`,
  )
  for (const { name, last } of sequences) found.set(`sequence ${name}`, [String(last)])
  const { rows: roles } = await client.query<{ role: string }>(
    `select concat_ws(' ', rolname, rolsuper, rolcanlogin, rolbypassrls, rolpassword) as role
     from pg_authid where rolname like 'hopwhistle%' and rolname !~ 'replica' order by 1`,
  )
  found.set(
    'roles',
    roles.map(({ role }) => role),
  )
  return found
}

/** Events of each kind, and all that comes with them: rollups, keys, tokens, rows of the outbox. */
async function fill(platform: Platform, key: string): Promise<{ readonly id: string; readonly position: string }> {
  const [instance] = platform.instances
  const first = anEvent('RINGING', { callId: 'moved', metadata: { naïve: '☎ "quoted" \\', n: 1 } })
  for (const event of [
    first,
    anEvent('COMPLETED', { callId: 'moved' }),
    anEvent('FAILED', { callId: 'moved', corrects: true }),
  ])
    expect((await post(instance!, event, key)).status).toBe(201)
  const many = Array.from({ length: 400 }, (_, i) =>
    anEvent(i % 3 === 0 ? 'ANSWERED' : 'BUSY', { callId: `call-${i % 90}` }),
  )
  expect((await post(instance!, { events: many }, key, ROUTES.callEvents)).status).toBeLessThan(300)
  const token = await post(instance!, { scopes: ['reports:read'], seconds: 300 }, key, ROUTES.tokens)
  expect(token.status).toBe(201)
  await platform.query('select hopwhistle.fold_call_metrics()')
  const { body } = await post(instance!, anEvent('INITIATED', { callId: 'last' }), key)
  return { id: first.eventId, position: body.position }
}

const callsOf = async (platform: Platform, key: string, position?: string) => {
  const query = `limit=200${position === undefined ? '' : `&position=${encodeURIComponent(position)}`}`
  const { body } = await get(platform.instances[0]!, `${ROUTES.reportCalls}?${query}`, key)
  return body.calls
}

describe.skipIf(MISSING)(`Postgres 15 to 18, by dump and restore${NEEDS}`, () => {
  test('every row moves, and the API continues where it was', { timeout: 300_000 }, async () => {
    const [old, newer] = [await server(OLD_BIN), await server(undefined)]
    expect(Number.parseInt(old.version, 10)).toBe(15)
    expect(Number.parseInt(newer.version, 10)).toBeGreaterThanOrEqual(18)
    const apiPassword = randomBytes(12).toString('base64url')
    const [before, after] = [databaseOn(old, apiPassword), databaseOn(newer, apiPassword)]
    const postgres = await connectPostgres(postgresUrl(old.primary.port, 'postgres', 'postgres', old.superuserPassword))
    await postgres.query(`create database ${DATABASE}`)
    await migrate(before.ownerUrl, apiPassword)
    await runDatabaseCommand('db-seed-demo', { ownerUrl: before.ownerUrl, args: ['--calls=3000'], onLine: () => {} })

    const onOld = await runningPlatform(1, {}, before)
    const { key } = await onOld.newTenant()
    const { id, position } = await fill(onOld, key)
    const calls = await callsOf(onOld, key, position)
    expect(calls.length).toBeGreaterThan(90)
    await onOld.close()

    const folder = mkdtempSync(join(tmpdir(), 'hopwhistle-dump-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const address = (port: number, password: string) => postgresUrl(port, '', 'postgres', password).replace(/\/$/, '')
    const env = {
      PATH: `${OLD_BIN}:${process.env.PATH}`,
      OLD: address(old.primary.port, old.superuserPassword),
      NEW: address(newer.primary.port, newer.superuserPassword),
    }
    const all = commandsBelow('Dump and restore')
    expect(all.length).toBeGreaterThan(7)
    const said: string[] = []
    for (const command of all) {
      const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', command], { cwd: folder, env })
      said.push(stdout)
    }
    expect(said.at(-1), 'what the page compares').toBe(said.at(-2))

    const [was, is] = [await everything(before.ownerUrl), await everything(after.ownerUrl)]
    expect([...is.keys()]).toEqual([...was.keys()])
    const counts = Object.fromEntries([...was].map(([name, rows]) => [name, rows.length]))
    expect(counts['hopwhistle.migrations']).toBeGreaterThan(11)
    expect(
      Object.entries(counts)
        .filter(([name]) => /call_events/.test(name))
        .reduce((sum, [, n]) => sum + n, 0),
    ).toBeGreaterThan(8_000)
    for (const [name, rows] of was) expect(is.get(name), name).toEqual(rows)

    expect(await migrate(after.ownerUrl)).toMatch(/up to date: all \d+ migrations were applied before/)
    await after.replicaCaughtUp()
    const onNew = await runningPlatform(1, {}, after)
    onTestFinished(() => onNew.close())
    const [instance] = onNew.instances
    expect(await callsOf(onNew, key)).toEqual(calls)
    const again = await post(instance!, anEvent('RINGING', { eventId: id, callId: 'other' }), key)
    expect([again.status, again.body.code], 'the id is known').toEqual([409, 'event-conflict'])
    const added = await post(instance!, anEvent('ANSWERED', { callId: 'after the move' }), key)
    expect(added).toMatchObject({ status: 201, body: { outcome: 'applied' } })
    const withPosition = (token: string) =>
      get(instance!, `${ROUTES.reportCalls}?position=${encodeURIComponent(token)}`, key)
    expect((await withPosition(added.body.position)).body.calls[0]).toMatchObject({ callId: 'after the move' })
    expect(await withPosition(position)).toMatchObject({ status: 410, body: { code: 'token-outdated' } })
  })

  test('who is no superuser is stopped, and leaves no dump that lacks rows', { timeout: 120_000 }, async () => {
    const old = await server(OLD_BIN)
    const postgres = await connectPostgres(postgresUrl(old.primary.port, 'postgres', 'postgres', old.superuserPassword))
    await postgres.query(`create database ${DATABASE}`)
    await migrate(databaseOn(old, '').ownerUrl)
    await postgres.query(
      "create role somebody login password 'their-password' in role pg_read_all_data, hopwhistle_owner",
    )
    const url = postgresUrl(old.primary.port, DATABASE, 'somebody', 'their-password')
    const dump = promisify(execFile)(join(OLD_BIN, 'pg_dump'), ['--dbname', url, '--file', '/dev/null'])
    await expect(dump).rejects.toThrow(/row-level security/)
  })
})

test('the page has the commands that are followed', () => {
  const all = commandsBelow('Dump and restore')
  for (const program of ['pg_dumpall', 'pg_dump', 'psql', 'pg_restore'])
    expect(
      all.some((command) => command.startsWith(`${program} `)),
      program,
    ).toBe(true)
})
