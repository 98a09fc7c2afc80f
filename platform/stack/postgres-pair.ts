/**
 * A Postgres primary and its streaming replica on this machine.
 *
 *   initdb ─▶ copy ─▶ primary starts ─▶ role and slot ─▶ replica starts ─▶ replica streams: ready
 *
 * The replica is a copy of the primary's folder made before the primary first starts, so that nothing but the server
 * itself and initdb is needed: there is no pg_basebackup among the embedded programs.
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
  /** Gets the folders `primary` and `replica`; the user `nobody` must be able to reach it when this process is root. */
  readonly dir: string
  /** 0 or absent: a free one. */
  readonly primaryPort?: number
  readonly replicaPort?: number
  /** When a port that was given is taken: `fail` names it, `another` takes a free one instead. */
  readonly ifTaken?: 'fail' | 'another'
  /** Of each server; absent: what a server gets of this machine. */
  readonly memoryBytes?: number
  /** Added to those that follow from the memory, or instead of them, on both servers. */
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
    // The replica first, so that the primary has nobody left to wait for. The data is thrown away next, therefore
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

/** Starts a server of a pair again that was stopped, in its folder and on its port; it need not be streaming yet. */
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

/** True once it is ours that answers: the password of another Postgres on this port would be another. */
async function answers(port: number, password: string): Promise<true> {
  await query(port, password, 'select 1')
  return true
}

async function query<T extends pg.QueryResultRow>(port: number, password: string, text: string): Promise<T[]> {
  const client = new pg.Client({
    connectionString: postgresUrl(port, 'postgres', SUPERUSER, password),
    // Whatever has the port may accept connections and never answer.
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
  // Statements about roles are kept with their text, password and all, unless told otherwise.
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
