/**
 * Tests backup.sh, restore.sh and start-primary.sh of cdk8s/scripts with a real Postgres, a real pgBackRest as the chart
 * configures it, and backups in a folder and in a real S3 server.
 */
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { waitUntil } from '@hopwhistle/platform/lib/wait-until.ts'
import { freePort } from '@hopwhistle/platform/machine/free-port.ts'
import { onPath } from '@hopwhistle/platform/machine/run-program.ts'
import { makeTempDir, type RunAs, unprivilegedUser } from '@hopwhistle/platform/stack/run-as.ts'
import { makeCertificates } from '@hopwhistle/platform/test-support/certificates.ts'
import { lookForGoProgram } from '@hopwhistle/platform/tools/go-programs.ts'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { hopwhistle } from '../../charts/hopwhistle.ts'
import { synthesize } from '../../values/helm-chart.ts'
import type { Json } from '../../values/value.ts'

const CHECKOUT = fileURLToPath(new URL('../../../', import.meta.url))
const bin = [process.env.HOPWHISTLE_POSTGRES_BIN, '/usr/lib/postgresql/15/bin'].find(
  (folder) => folder !== undefined && ['initdb', 'postgres', 'psql'].every((each) => existsSync(join(folder, each))),
)
const isMissing = bin === undefined || onPath('pgbackrest') === undefined
const NEEDS = isMissing ? ' (missing: postgresql-15 and pgbackrest)' : ''
const { versitygw } = JSON.parse(readFileSync(join(CHECKOUT, 'versions.json'), 'utf8')) as { versitygw: string }
const S3_MODULE = 'github.com/versity/versitygw/cmd/versitygw'
const S3_SERVER = {
  name: 'versitygw',
  variable: 'HOPWHISTLE_VERSITYGW',
  howTo: `  go install ${S3_MODULE}@v${versitygw}`,
  packageOf: () => S3_MODULE,
}
const s3Server = lookForGoProgram(S3_SERVER)
const NEEDS_S3 = s3Server === undefined ? ` (missing: an S3 server: ${S3_SERVER.howTo.trim()})` : ''

type Repository = {
  /** Below postgres.backup of the chart. */
  readonly values: { readonly [name: string]: Json }
  /** What pgBackRest is given by its environment: in the chart, from a Secret, or a path that is not of this machine. */
  readonly env: NodeJS.ProcessEnv
  readonly unreadable: NodeJS.ProcessEnv
}

describe.skipIf(isMissing).each([
  ['a folder', NEEDS, false, inFolder],
  ['S3', NEEDS || NEEDS_S3, s3Server === undefined, inS3],
] as const)('with backups in %s%s', { timeout: 400_000 }, (_name, _needs, isS3Missing, repository) => {
  test.skipIf(isS3Missing)(
    'a primary restored to a time has every row of then and none from after; one restored to the latest has all',
    async () => {
      const primary = await primaryWithBackups(repository)
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

  test.skipIf(isS3Missing)('a restore that cannot reach its time leaves the data as it was', async () => {
    const primary = await primaryWithBackups(repository)
    await primary.start()
    primary.query('create table rows (id int primary key); insert into rows values (1)')
    primary.backUp('--first')
    await primary.stop()
    const restore = { RESTORE_TARGET: '2037-12-31 00:00:00+00', RESTORE_REPLACE: 'true' }
    await expect(primary.start(restore)).rejects.toThrow('recovery ended before configured recovery target was reached')
    await primary.start()
    expect(primary.query('select id from rows')).toBe('1')
    await primary.stop()
  })

  test.skipIf(isS3Missing || repository === inS3)(
    'a restore deletes no files, even if they are no database',
    async () => {
      const primary = await primaryWithBackups(repository)
      await primary.start()
      primary.query('create table rows (id int primary key); insert into rows values (1)')
      primary.backUp('--first')
      await primary.stop()
      // As after a disk error. Only a person can tell what these files are worth.
      primary.remove('PG_VERSION')
      await expect(primary.start({ RESTORE_TARGET: 'latest' })).rejects.toThrow('set postgres.restore.replaceData')
      await primary.start({ RESTORE_TARGET: 'latest', RESTORE_REPLACE: 'true' })
      expect(primary.query('select id from rows')).toBe('1')
      expect(primary.folders()).toEqual(['postgres', expect.stringMatching(/^postgres\.replaced-/)])
      await primary.stop()
    },
  )

  test.skipIf(isS3Missing)('a primary whose backups cannot be read does not begin an empty database', async () => {
    const primary = await primaryWithBackups(repository)
    await expect(primary.start(primary.unreadable)).rejects.toThrow('cannot be read')
    await primary.start()
    await primary.stop()
  })
})

type MakeRepository = (dir: string, user: RunAs | undefined) => Repository | Promise<Repository>

function inFolder(dir: string, user: RunAs | undefined): Repository {
  const folder = ownFolder(join(dir, 'repository'), user)
  return {
    values: {},
    env: { PGBACKREST_REPO1_PATH: folder },
    unreadable: { PGBACKREST_REPO1_PATH: '/proc/1/root/backups' },
  }
}

/** In a bucket of a server that runs until the test ends. */
async function inS3(dir: string): Promise<Repository> {
  const files = ownFolder(join(dir, 's3'), undefined)
  mkdirSync(join(files, 'backups'))
  const { ca, certificate, key } = makeCertificates(dir)
  const [port, access, secret] = [await freePort(), 'access', randomBytes(20).toString('hex')]
  const server = spawn(
    s3Server ?? '',
    ['--quiet', '--port', `127.0.0.1:${port}`, '--cert', certificate, '--key', key, 'posix', files],
    { env: { ROOT_ACCESS_KEY: access, ROOT_SECRET_KEY: secret }, stdio: 'ignore' },
  )
  const ended = new Promise((resolve) => server.once('exit', resolve))
  onTestFinished(async () => {
    server.kill()
    await ended
  })
  await waitUntil('the S3 server', () => connects(port), { timeoutMs: 60_000 })
  return {
    values: {
      s3: {
        bucket: 'backups',
        endpoint: 'localhost',
        port,
        region: 'us-east-1',
        uriStyle: 'path',
        existingSecret: 'keys',
      },
    },
    env: {
      PGBACKREST_REPO1_S3_KEY: access,
      PGBACKREST_REPO1_S3_KEY_SECRET: secret,
      PGBACKREST_REPO1_STORAGE_CA_FILE: ca,
    },
    unreadable: { PGBACKREST_REPO1_S3_KEY_SECRET: 'of somebody else' },
  }
}

const connects = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.once('error', () => resolve(false)).once('connect', () => socket.destroy())
  })

function ownFolder(folder: string, user: RunAs | undefined): string {
  mkdirSync(folder, { mode: 0o700 })
  if (user !== undefined) chownSync(folder, user.uid, user.gid)
  return folder
}

/** What the chart gives a primary with such backups. */
function ofChart(values: Repository['values']) {
  const all = synthesize(hopwhistle, { values: { postgres: { backup: { enabled: true, ...values } } } })
  const files = all.map(({ data }) => (data as { readonly [file: string]: string } | undefined)?.['pgbackrest.conf'])
  const args = JSON.stringify(all).match(/-carchive_\w+=(?:\\.|[^"\\])*/g) ?? []
  return {
    configuration: files.find((text) => text !== undefined) ?? '',
    args: args.map((arg) => JSON.parse(`"${arg}"`)),
  }
}

/** A volume for data and one for backups, with the commands that the pods of the chart run on them. */
async function primaryWithBackups(makeRepository: MakeRepository) {
  const user = unprivilegedUser()
  const dir = makeTempDir('hopwhistle-backup-', user)
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const scripts = join(dir, 'scripts')
  // Copied, because the user of Postgres may not be able to enter the checkout.
  cpSync(join(CHECKOUT, 'cdk8s/scripts'), scripts, { recursive: true })
  const data = ownFolder(join(dir, 'data'), user)
  const repository = await makeRepository(dir, user)
  const chart = ofChart(repository.values)
  const configuration = join(dir, 'pgbackrest.conf')
  writeFileSync(configuration, chart.configuration, { mode: 0o644 })
  let env: NodeJS.ProcessEnv = {}
  let server: { readonly ended: Promise<unknown>; stop(): void } | undefined
  const run = (command: string, args: readonly string[], input = '') =>
    execFileSync(command, args, { env, input, cwd: dir, ...user, stdio: ['pipe', 'pipe', 'pipe'], encoding: 'utf8' })
  const query = (sql: string) => run('psql', ['-XAtq', '--dbname=hopwhistle', '--set=ON_ERROR_STOP=1'], sql).trimEnd()
  onTestFinished(async () => {
    server?.stop()
    await server?.ended
  })

  return {
    query,
    unreadable: repository.unreadable,
    /** Restores if configured, and starts the primary. @throws with the output of the restore, when it refuses */
    async start(given: NodeJS.ProcessEnv = {}) {
      const port = String(await freePort())
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
        // Paths of the container.
        PGBACKREST_PG1_PATH: join(data, 'postgres'),
        PGBACKREST_PG1_PORT: port,
        PGBACKREST_LOCK_PATH: join(data, 'lock'),
        PGBACKREST_SPOOL_PATH: join(data, 'spool'),
        ...repository.env,
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
      }
      const args = [...chart.args, ...Object.entries(settings).map(([name, value]) => `-c${name}=${value}`)]
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
    remove: (file: string) => rmSync(join(data, 'postgres', file)),
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
