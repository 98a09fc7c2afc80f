/**
 * A Postgres primary and its streaming replica on this machine.
 *
 *   initdb ─▶ copy ─▶ primary starts ─▶ role and slot ─▶ replica starts ─▶ replica streams: ready
 *
 * The replica's folder is copied from the primary's before the primary first starts. This needs only the server and
 * initdb: the embedded Postgres has no pg_basebackup.
 */
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { freePort } from '../machine/free-port.ts'
import { quoted, type Settings } from '../settings/postgres.ts'
import type { Guard } from './guard.ts'
import { findPostgres, type PostgresBinaries } from './postgres-binaries.ts'
import { localPostgresSettings, REPLICATION_ROLE, REPLICATION_SLOT } from './postgres-config.ts'
import { followPrimary, makePostgresFolders, ownFolder, postgresEnvironment, SUPERUSER } from './postgres-folders.ts'
import { type RunAs, unprivilegedUser } from './run-as.ts'
import type { ServerProcess } from './server-process.ts'
import { startServer, stopServer, waitForServer } from './server-process.ts'

export type PostgresServer = { readonly process: ServerProcess; readonly port: number }

export type PostgresPair = {
  readonly version: string
  readonly primary: PostgresServer
  readonly replica: PostgresServer
  /** Of the role `postgres`, the superuser. */
  readonly superuserPassword: string
  /** Stops both servers and removes their folders. */
  stop(): Promise<void>
}

export type PostgresPairOptions = {
  /** Will contain the folders `primary` and `replica`. If this process is root, the user `nobody` must be able to reach it. */
  readonly dir: string
  /** 0 or absent: a free one. */
  readonly primaryPort?: number
  readonly replicaPort?: number
  /** When the given port is taken: `fail` throws and names it, `another` takes a free one. */
  readonly ifTaken?: 'fail' | 'another'
  /** Memory of each server; absent: computed from the memory of this machine. */
  readonly memoryBytes?: number
  /** Settings of both servers; they override those computed from memory. */
  readonly settings?: Settings
  /** Absent: the servers outlive this process. */
  readonly guard?: Guard
}

const HOST = '127.0.0.1'
const READY_TIMEOUT_MS = 60_000
const ANSWER_WITHIN_MS = 2_000
const PORT_ATTEMPTS = 3

/** @throws when the programs are missing, a port is taken, or a server does not start: with the end of its log */
export async function startPostgresPair(options: PostgresPairOptions): Promise<PostgresPair> {
  const user = unprivilegedUser()
  const binaries = findPostgres(user)
  const home = ownFolder(join(options.dir, 'postgres'), user)
  const superuserPassword = randomBytes(18).toString('base64url')
  const replicationPassword = randomBytes(18).toString('base64url')
  const started: ServerProcess[] = []
  const stop = async () => {
    // The replica first, so that the primary need not wait for it. The data is deleted next, therefore
    // SIGQUIT: an orderly stop would first write all of it to disk.
    for (const server of started.toReversed()) await stopServer(server, 10_000)
    rmSync(home, { recursive: true, force: true })
  }
  try {
    const settings = { ...localPostgresSettings(options.memoryBytes), ...options.settings }
    await makePostgresFolders(binaries, home, user, superuserPassword, replicationPassword, settings)
    const start = async (name: 'primary' | 'replica', port: number | undefined) => {
      const server = await startOnPort(binaries, home, name, user, port, superuserPassword, options)
      started.push(server.process)
      return server
    }
    const primary = await start('primary', options.primaryPort)
    await prepareReplication(primary.port, superuserPassword, replicationPassword)
    followPrimary(home, primary.port)
    const replica = await start('replica', options.replicaPort)
    await waitForStreaming(primary, superuserPassword)
    return { version: binaries.version, primary, replica, superuserPassword, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Restarts a stopped server of a pair, in its folder and on its port. It may not be streaming yet. */
export function startPostgresAgain(
  name: 'primary' | `replica${string}`,
  { dir, port, superuserPassword, guard }: { dir: string; port: number; superuserPassword: string; guard?: Guard },
): Promise<PostgresServer> {
  const user = unprivilegedUser()
  const options = { dir, ...(guard === undefined ? {} : { guard }) }
  return startOnPort(findPostgres(user), join(dir, 'postgres'), name, user, port, superuserPassword, options)
}

/** `postgres://…` for a role and database of a server of this pair. */
export function postgresUrl(port: number, database: string, role: string, password: string): string {
  return `postgres://${encodeURIComponent(role)}:${encodeURIComponent(password)}@${HOST}:${port}/${encodeURIComponent(database)}`
}

async function startOnPort(
  { postgres }: PostgresBinaries,
  home: string,
  name: string,
  runAs: RunAs | undefined,
  wantedPort: number | undefined,
  password: string,
  { guard, ifTaken = 'fail' }: PostgresPairOptions,
): Promise<PostgresServer> {
  for (let attempt = 1; ; attempt++) {
    const given = attempt === 1 || ifTaken === 'fail' ? wantedPort : undefined
    const port = given || (await freePort())
    const dataDir = join(home, name)
    const server = await startServer({
      name: `postgres ${name}`,
      command: postgres,
      args: ['-D', dataDir, '-p', String(port)],
      cwd: dataDir,
      env: postgresEnvironment(),
      logFile: join(home, `${name}.log`),
      stopSignal: 'SIGQUIT',
      runAs,
      guard,
    })
    try {
      await waitForServer(server, () => answers(port, password), READY_TIMEOUT_MS)
      return { process: server, port }
    } catch (error) {
      await stopServer(server, 1_000)
      const portTaken = /could not bind/.test((error as Error).message)
      if (portTaken && given && ifTaken === 'fail')
        throw new Error(`port ${port} for the ${server.name} is in use`, { cause: error })
      if (!portTaken || attempt === PORT_ATTEMPTS) throw error
    }
  }
}

/** True once our server answers: another Postgres on this port would have another password. */
async function answers(port: number, password: string): Promise<true> {
  await query(port, password, 'select 1')
  return true
}

async function query<T extends pg.QueryResultRow>(port: number, password: string, text: string): Promise<T[]> {
  const client = new pg.Client({
    connectionString: postgresUrl(port, 'postgres', SUPERUSER, password),
    // Another program on the port may accept connections and never answer.
    connectionTimeoutMillis: ANSWER_WITHIN_MS,
  })
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.query<T>(text)).rows
  } finally {
    await client.end().catch(() => {})
  }
}

async function prepareReplication(port: number, password: string, replicationPassword: string): Promise<void> {
  // Otherwise pg_stat_statements would store statements about roles with their passwords.
  await query(
    port,
    password,
    `set pg_stat_statements.track = 'none'; set log_statement = 'none';
     create role ${REPLICATION_ROLE} replication login password ${quoted(replicationPassword)};
     select pg_create_physical_replication_slot('${REPLICATION_SLOT}', true)`,
  )
}

async function waitForStreaming(primary: PostgresServer, password: string): Promise<void> {
  await waitForServer(
    { ...primary.process, name: 'the replica' },
    async () => {
      const rows = await query(primary.port, password, "select from pg_stat_replication where state = 'streaming'")
      return rows.length > 0
    },
    READY_TIMEOUT_MS,
  )
}
