/**
 * Starts Postgres primary and replica, Redis and the API, migrated and seeded.
 *
 * Each process is recorded before waiting for it, so that a stack that failed to start can be stopped.
 */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { Terminal } from '../command-line/terminal.ts'
import { identify } from '../machine/process-identity.ts'
import type { MonitoringTools } from '../tools/find-monitoring.ts'
import { mostInstances, settingsGiven, startApiInstances } from './api-instances.ts'
import { checkAlone, choosePort, type HeldPort, type PortWish } from './choose-port.ts'
import { runDatabaseCommand } from './database-command.ts'
import type { Guard } from './guard.ts'
import { postgresUrl, startPostgresPair } from './postgres-pair.ts'
import { startRedis } from './redis-server.ts'
import type { ServerProcess } from './server-process.ts'
import { makeStackFolder, type StackDetails, writeRecord } from './stack-record.ts'
import { startMonitoring } from './start-monitoring.ts'

export type StackOptions = {
  readonly dir: string
  /** Of the API. */
  readonly port: PortWish
  readonly host: string
  readonly instances: number
  readonly demoData: boolean
  readonly redisServer: string
  /** Absent: no monitoring. */
  readonly monitoring?: MonitoringTools | undefined
  /** Added to the environment of each API instance. */
  readonly apiEnv?: Readonly<Record<string, string>>
  /** URLs by which API instances reach Postgres and Redis, for example through proxies; absent: the direct ones. */
  readonly waysForApi?: (urls: StackDetails['urls']) => Promise<StackDetails['urls']>
  /** Stops everything if this process dies; the caller turns it off for a stack that should outlive it. */
  readonly guard: Guard
  readonly terminal: Terminal
  readonly signal?: AbortSignal
}

/** Where people look for them first. */
const USUAL_POSTGRES_PORT = 5432
const USUAL_REDIS_PORT = 6379
const DATABASE = 'hopwhistle'

/** @throws {Failure} and errors of a server that does not start; then stop what the record lists */
export async function startStack(options: StackOptions): Promise<StackDetails> {
  const instances = Math.min(options.instances, mostInstances())
  const port = await choosePort(options.port, { host: options.host, shared: instances > 1 })
  try {
    return await startOn(port, instances, options)
  } finally {
    await port.release()
  }
}

async function startOn(held: HeldPort, instances: number, options: StackOptions): Promise<StackDetails> {
  const port = held.number
  const { dir, guard, terminal, signal } = options
  const processes: ServerProcess[] = []
  const startedAt = new Date().toISOString()
  const by = identify(process.pid)
  const record = (...servers: ServerProcess[]) => {
    processes.push(...servers)
    writeRecord(dir, { state: 'starting', startedAt, by, processes })
  }
  const step = async <T>(
    name: string,
    work: (say: (line: string) => void) => Promise<T>,
    note: (done: T) => string,
  ) => {
    signal?.throwIfAborted()
    const say = (line: string) => terminal.show(`  … ${name}: ${line}`)
    return terminal.during(
      name,
      () => work(say),
      (done) => `✓ ${name.padEnd(22)} ${note(done)}`,
    )
  }

  makeStackFolder(dir)
  guard.remove(dir)
  record()

  const pair = await step(
    'Postgres and replica',
    async () => {
      const pair = await startPostgresPair({ dir, primaryPort: USUAL_POSTGRES_PORT, ifTaken: 'another', guard })
      record(pair.primary.process, pair.replica.process)
      return pair
    },
    ({ version, primary, replica }) => `${version} on ports ${primary.port} and ${replica.port}, streaming`,
  )
  const redis = await step(
    'Redis',
    async () => {
      const redis = await startRedis({
        dir,
        port: USUAL_REDIS_PORT,
        ifTaken: 'another',
        command: options.redisServer,
        guard,
      })
      record(redis.process)
      return { ...redis, version: redisVersion(options.redisServer) }
    },
    ({ version, port }) => `${version} on port ${port}`,
  )
  const apiPassword = randomBytes(18).toString('base64url')
  const superuser = (port: number, database = DATABASE) =>
    postgresUrl(port, database, 'postgres', pair.superuserPassword)
  const urls = {
    primary: postgresUrl(pair.primary.port, DATABASE, 'hopwhistle_api', apiPassword),
    replica: postgresUrl(pair.replica.port, DATABASE, 'hopwhistle_api', apiPassword),
    owner: superuser(pair.primary.port),
    ownerReplica: superuser(pair.replica.port),
    redis: redis.url,
  }
  await step(
    'Schema',
    async (onLine) => {
      await createDatabase(superuser(pair.primary.port, 'postgres'))
      await runDatabaseCommand('db-migrate', { ownerUrl: urls.owner, apiPassword, signal, onLine })
    },
    () => 'migrated',
  )
  if (options.demoData) {
    await step(
      'Demo data',
      (onLine) => runDatabaseCommand('db-seed-demo', { ownerUrl: urls.owner, signal, onLine }),
      () => 'seeded',
    )
  }
  const ways = (await options.waysForApi?.(urls)) ?? urls
  const api = await step(
    'API',
    async () => {
      if (instances === 1) await held.release()
      const api = await startApiInstances({
        dir,
        port,
        host: options.host,
        instances,
        urls: ways,
        onStart: record,
        guard,
        ...(options.apiEnv === undefined ? {} : { env: options.apiEnv }),
      })
      checkAlone(port, new Set([process.pid, ...api.map(({ process }) => process.pid)]))
      return api
    },
    (api) => `${api.length} instance${api.length === 1 ? '' : 's'} on port ${port}`,
  )
  const details: StackDetails = {
    apiUrl: `http://127.0.0.1:${port}`,
    api,
    apiSettings: settingsGiven(options.apiEnv),
    postgresVersion: pair.version,
    redisVersion: redis.version,
    urls,
  }
  const { monitoring: tools } = options
  const monitoring =
    tools &&
    (await step(
      'Monitoring',
      () => startMonitoring({ dir, tools, details, guard, onStart: record }),
      ({ grafana }) => `Prometheus and exporters${grafana === undefined ? '; Grafana is not installed' : ', Grafana'}`,
    ))
  const all = monitoring === undefined ? details : { ...details, monitoring }
  writeRecord(dir, { state: 'up', startedAt, by: undefined, processes, details: all })
  return all
}

async function createDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(`create database ${DATABASE}`)
  } finally {
    await client.end()
  }
}

function redisVersion(command: string): string {
  return /v=([\d.]+)/.exec(execFileSync(command, ['--version'], { encoding: 'utf8' }))?.[1] ?? 'of unknown version'
}
