/** Tests backup.sh, restore.sh and start-primary.sh of cdk8s/scripts with a real Postgres and a real pgBackRest. */
import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { waitUntil } from '@hopwhistle/platform/lib/wait-until.ts'
import { freePort } from '@hopwhistle/platform/machine/free-port.ts'
import { onPath } from '@hopwhistle/platform/machine/run-program.ts'
import { makeTempDir, unprivilegedUser } from '@hopwhistle/platform/stack/run-as.ts'
import { expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'

const CHECKOUT = fileURLToPath(new URL('../../../', import.meta.url))
const bin = [process.env.HOPWHISTLE_POSTGRES_BIN, '/usr/lib/postgresql/15/bin'].find(
  (folder) => folder !== undefined && ['initdb', 'postgres', 'psql'].every((each) => existsSync(join(folder, each))),
)
const isMissing = bin === undefined || onPath('pgbackrest') === undefined
const NEEDS = isMissing ? ' (missing: postgresql-15 and pgbackrest)' : ''

test.skipIf(isMissing)(
  `a primary restored to a time has every row of then and none from after; one restored to the latest has all${NEEDS}`,
  { timeout: 400_000 },
  async () => {
    const primary = primaryWithBackups()
    await primary.start()
    primary.query('create table rows (id int primary key, note text)')
    primary.backUp('--first')
    // pgBackRest knows the end of a backup to the second, and restores only to a later one.
    primary.query('select pg_sleep(2)')
    primary.query("insert into rows select id, 'before ' || id from generate_series(1, 1000) as id")
    const before = primary.query('select * from rows order by id')
    const time = primary.query('select clock_timestamp()')
    primary.query("update rows set note = 'after' where id <= 500; insert into rows values (1001, 'after')")
    primary.backUp()
    expect(primary.exported('pg_hopwhistle_backup')).toMatch(/^\d+\.\d+$/)
    expect(primary.exported('pg_hopwhistle_archive')).toMatch(/^0\|\d+$/)
    const after = primary.query('select * from rows order by id')
    await primary.stop()

    await expect(primary.start({ RESTORE_TARGET: time })).rejects.toThrow('set postgres.restore.replaceData')
    await primary.start({ RESTORE_TARGET: time, RESTORE_REPLACE: 'true' })
    expect(primary.query('select * from rows order by id')).toBe(before)
    // A replica copies these settings, and must not stop at the target of this restore.
    expect(
      primary.query("select setting from pg_settings where name in ('restore_command', 'recovery_target_time')"),
    ).toBe('')
    expect(primary.folders()).toEqual(['postgres', expect.stringMatching(/^postgres\.replaced-\d{8}T\d{6}Z$/)])

    // The values still ask for a restore at the next start: it is not repeated.
    primary.query("insert into rows values (2000, 'new')")
    await primary.stop()
    await primary.start({ RESTORE_TARGET: time, RESTORE_REPLACE: 'true' })
    expect(primary.query('select note from rows where id = 2000')).toBe('new')
    primary.backUp()
    const latest = primary.query('select * from rows order by id')
    await primary.stop()

    primary.loseVolume()
    await expect(primary.start()).rejects.toThrow('there are backups')
    await primary.start({ RESTORE_TARGET: 'latest' })
    expect(primary.query('select * from rows order by id')).toBe(latest)
    expect(latest).not.toBe(after)
    await primary.stop()
  },
)

test.skipIf(isMissing)(
  `a restore that cannot reach its time leaves the data as it was${NEEDS}`,
  { timeout: 400_000 },
  async () => {
    const primary = primaryWithBackups()
    await primary.start()
    primary.query('create table rows (id int primary key); insert into rows values (1)')
    primary.backUp('--first')
    await primary.stop()
    const restore = { RESTORE_TARGET: '2037-12-31 00:00:00+00', RESTORE_REPLACE: 'true' }
    await expect(primary.start(restore)).rejects.toThrow('recovery ended before configured recovery target was reached')
    await primary.start()
    expect(primary.query('select id from rows')).toBe('1')
    await primary.stop()
  },
)

test.skipIf(isMissing)(
  `a primary whose backups cannot be read does not begin an empty database${NEEDS}`,
  { timeout: 400_000 },
  async () => {
    const primary = primaryWithBackups()
    await expect(primary.start({ PGBACKREST_REPO1_PATH: '/proc/1/root/backups' })).rejects.toThrow('cannot be read')
    await primary.start()
    await primary.stop()
  },
)

/** A volume for data and one for backups, with the commands that the pods of the chart run on them. */
function primaryWithBackups() {
  const user = unprivilegedUser()
  const dir = makeTempDir('hopwhistle-backup-', user)
  const [data, scripts, repository] = [join(dir, 'data'), join(dir, 'scripts'), join(dir, 'repository')]
  // Copied, because the user of Postgres may not be able to enter the checkout.
  cpSync(join(CHECKOUT, 'cdk8s/scripts'), scripts, { recursive: true })
  for (const folder of [data, repository]) {
    mkdirSync(folder, { mode: 0o700 })
    if (user !== undefined) chownSync(folder, user.uid, user.gid)
  }
  const configuration = join(dir, 'pgbackrest.conf')
  let env: NodeJS.ProcessEnv = {}
  let server: { readonly ended: Promise<unknown>; stop(): void } | undefined
  const run = (command: string, args: readonly string[], input = '') =>
    execFileSync(command, args, { env, input, cwd: dir, ...user, stdio: ['pipe', 'pipe', 'pipe'], encoding: 'utf8' })
  const query = (sql: string) => run('psql', ['-XAtq', '--dbname=hopwhistle', '--set=ON_ERROR_STOP=1'], sql).trimEnd()
  onTestFinished(async () => {
    server?.stop()
    await server?.ended
    rmSync(dir, { recursive: true, force: true })
  })

  return {
    query,
    /** Restores if configured, and starts the primary. @throws with the output of the restore, when it refuses */
    async start(given: NodeJS.ProcessEnv = {}) {
      const port = String(await freePort())
      writeFileSync(
        configuration,
        `[global]\nlock-path=${dir}/data/lock\nspool-path=${dir}/data/spool\nlog-level-file=off\nlog-level-console=off\nstart-fast=y\nrepo1-bundle=y\nrepo1-retention-full=14\nrepo1-retention-full-type=time\n\n[hopwhistle]\npg1-path=${data}/postgres\npg1-port=${port}\n`,
      )
      chmodSync(configuration, 0o644)
      env = {
        PATH: `${bin}:${process.env.PATH}`,
        PGDATA: join(data, 'postgres'),
        PGHOST: '127.0.0.1',
        PGPORT: port,
        PGUSER: 'postgres',
        PGPASSWORD: "it's a secret",
        OWNER_PASSWORD: "it's a secret",
        REPLICATION_PASSWORD: 'other',
        PGBACKREST_CONFIG: configuration,
        PGBACKREST_STANZA: 'hopwhistle',
        PGBACKREST_REPO1_PATH: repository,
        FULL_EVERY_DAYS: '7',
        RESTORE_TARGET: '',
        RESTORE_REPLACE: 'false',
        ...given,
      }
      run('sh', [join(scripts, 'restore.sh')])
      const settings = {
        port,
        listen_addresses: '127.0.0.1',
        unix_socket_directories: data,
        hba_file: join(scripts, 'pg_hba.conf'),
        fsync: 'off',
        archive_mode: 'on',
        archive_command: 'pgbackrest archive-push "%p"',
      }
      const args = Object.entries(settings).map(([name, value]) => `-c${name}=${value}`)
      const child = spawn('sh', [join(scripts, 'start-primary.sh'), ...args], {
        env,
        cwd: dir,
        stdio: 'ignore',
        ...user,
      })
      server = {
        ended: new Promise((resolve) => child.once('exit', resolve)),
        stop: () => void child.kill('SIGINT'),
      }
      await waitUntil('the primary', () => query('select 1') === '1', { timeoutMs: 120_000 })
    },
    async stop() {
      server?.stop()
      await server?.ended
      server = undefined
    },
    backUp: (...args: readonly string[]) => run('sh', [join(scripts, 'backup.sh'), ...args]),
    loseVolume: () => {
      for (const name of readdirSync(data)) rmSync(join(data, name), { recursive: true })
    },
    folders: () =>
      readdirSync(data)
        .filter((name) => name.startsWith('postgres'))
        .sort(),
    /** What the Prometheus exporter reads, as a role for monitoring. */
    exported: (name: string) => {
      const queries = parse(readFileSync(join(CHECKOUT, 'dashboards/exporters/postgres-queries.yaml'), 'utf8'))
      return query(`set role pg_monitor; ${queries[name].query}`)
    },
  }
}
