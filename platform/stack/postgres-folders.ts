/** Creates the data folders of a primary and its replica with initdb. */
import { execFile } from 'node:child_process'
import { appendFileSync, chmodSync, chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { INITDB_ARGUMENTS, postgresConf, quoted, type Settings } from '../settings/postgres.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { HBA, REPLICATION_ROLE, REPLICATION_SLOT } from './postgres-config.ts'
import type { RunAs } from './run-as.ts'

export const SUPERUSER = 'postgres'
const run = promisify(execFile)

/** @throws when the folder already exists */
export function ownFolder(path: string, user: RunAs | undefined): string {
  if (existsSync(path)) throw new Error(`${path} exists; a Postgres pair starts in an empty folder`)
  mkdirSync(path, { recursive: true, mode: 0o700 })
  if (user !== undefined) chownSync(path, user.uid, user.gid)
  return path
}

/** Makes `primary`, and `replica` as its copy, in `home`. */
export async function makePostgresFolders(
  { initdb }: PostgresBinaries,
  home: string,
  user: RunAs | undefined,
  superuserPassword: string,
  replicationPassword: string,
  settings: Settings,
): Promise<void> {
  const as = { cwd: home, env: postgresEnvironment(), ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }) }
  const secret = (name: string, text: string) => {
    const path = join(home, name)
    writeFileSync(path, text, { mode: 0o600 })
    if (user !== undefined) chownSync(path, user.uid, user.gid)
    return path
  }
  const passwordFile = secret('superuser.pass', `${superuserPassword}\n`)
  secret('replication.pass', `*:*:*:${REPLICATION_ROLE}:${replicationPassword}\n`)
  const primary = join(home, 'primary')
  const replica = join(home, 'replica')
  await run(
    initdb,
    ['-D', primary, '-U', SUPERUSER, `--pwfile=${passwordFile}`, '-A', 'scram-sha-256', ...INITDB_ARGUMENTS, '-N'],
    as,
  )
  rmSync(passwordFile)
  writeFileSync(join(primary, 'hopwhistle.conf'), postgresConf(settings))
  appendFileSync(join(primary, 'postgresql.conf'), "\ninclude 'hopwhistle.conf'\n")
  writeFileSync(join(primary, 'pg_hba.conf'), HBA)
  await run('cp', ['-Rp', primary, replica], as)
  chmodSync(replica, 0o700)
  writeFileSync(join(replica, 'standby.signal'), '')
  appendFileSync(join(replica, 'hopwhistle.conf'), `primary_slot_name = '${REPLICATION_SLOT}'\n`)
}

/** Configures the primary of a replica. */
export function followPrimary(home: string, primaryPort: number, name = 'replica'): void {
  // An apostrophe in a path is escaped for libpq, and the result for the settings file.
  const passfile = join(home, 'replication.pass').replace(/['\\]/g, '\\$&')
  const conninfo =
    `host=127.0.0.1 port=${primaryPort} user=${REPLICATION_ROLE} application_name=${name} ` +
    `sslmode=disable passfile='${passfile}'`
  appendFileSync(
    join(home, name, 'hopwhistle.conf'),
    `primary_conninfo = ${quoted(conninfo).replaceAll('\\', '\\\\')}\n`,
  )
}

/** The part of this process's environment that Postgres gets. */
export function postgresEnvironment(): Record<string, string> {
  return { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }
}
