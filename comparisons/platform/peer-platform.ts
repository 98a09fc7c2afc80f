/**
 * The servers of a comparison: a Postgres pair, Redis, and any number of databases, API instances and other servers.
 * They are removed when the comparison ends, also when it fails.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { OUR_CODE, type PlatformCode } from '@hopwhistle/platform/checkout/platform-code.ts'
import { type Child, startChild } from '@hopwhistle/platform/child/start-child.ts'
import type { Terminal } from '@hopwhistle/platform/command-line/terminal.ts'
import { freePort } from '@hopwhistle/platform/machine/free-port.ts'
import type { Settings } from '@hopwhistle/platform/settings/postgres.ts'
import { startApiInstances } from '@hopwhistle/platform/stack/api-instances.ts'
import { runDatabaseCommand } from '@hopwhistle/platform/stack/database-command.ts'
import { startGuard } from '@hopwhistle/platform/stack/guard.ts'
import { type PostgresPair, postgresUrl, startPostgresPair } from '@hopwhistle/platform/stack/postgres-pair.ts'
import { type RedisServer, startRedis } from '@hopwhistle/platform/stack/redis-server.ts'
import { makeTempDir } from '@hopwhistle/platform/stack/run-as.ts'
import {
  type ServerProcess,
  startServer,
  stopServer,
  waitForServer,
} from '@hopwhistle/platform/stack/server-process.ts'
import type { StackDetails } from '@hopwhistle/platform/stack/stack-record.ts'
import { withClient } from '@hopwhistle/platform/stack/with-client.ts'
import type { Client } from 'pg'

export type Database = Omit<StackDetails['urls'], 'redis'>

export type Api = {
  readonly port: number
  readonly url: string
  readonly process: ServerProcess
  readonly adminUrl: string
}

export type PeerPlatform = {
  readonly pair: PostgresPair
  readonly redis: RedisServer
  createEmptyDatabase(name: string): Promise<Database>
  /**
   * Migrated, with the demo tenant, its key and about this many calls of its last 30 days.
   *
   * @param calls undefined: the default number of the demo
   * @param code instead of the code of the platform
   */
  createDatabase(name: string, calls: number | undefined, code?: PlatformCode): Promise<Database>
  /** A copy of another database, which must have no connections. */
  copyDatabase(name: string, from: string): Promise<Database>
  /** Drops the database, and ends its connections. */
  dropDatabase(name: string): Promise<void>
  startRedis(): Promise<RedisServer>
  /** Each on its own port, so that the load generator can spread the load evenly. */
  startApi(database: Database, instances: number, options?: ApiOptions): Promise<readonly Api[]>
  stopApi(instances: readonly Api[]): Promise<void>
  startProgram<Ready>(name: string, program: URL, config: unknown): Promise<Child<Ready>>
  /** Another program than the API. @param ready called until it answers true */
  startServer(options: ServerOptions, ready: () => Promise<boolean>): Promise<ServerProcess>
  stopServer(server: ServerProcess): Promise<void>
  stop(): Promise<void>
}

export type ServerOptions = {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

export type ApiOptions = {
  readonly redis?: RedisServer
  readonly env?: Readonly<Record<string, string>>
  /** Instead of the code of the platform. */
  readonly code?: PlatformCode
}

export type PlatformContext = {
  readonly redisServer: string
  readonly terminal: Terminal
  readonly signal: AbortSignal
  /** The code of migrations and API instances; absent: this checkout. */
  readonly code?: PlatformCode
  /** Added to the settings of its Postgres pair. */
  readonly postgresSettings?: Settings
}

/** One tenant sends all the load, and only the machine may limit it. */
const NO_TENANT_RATE = { TENANT_RATE_PER_SECOND: '1000000' }

const READY_TIMEOUT_MS = 30_000
const STOP_TIMEOUT_MS = 15_000

export async function startPeerPlatform({
  redisServer,
  terminal,
  signal,
  code = OUR_CODE,
  postgresSettings = {},
}: PlatformContext): Promise<PeerPlatform> {
  const dir = makeTempDir('hopwhistle-peers-')
  const guard = startGuard()
  guard.remove(dir)
  const apiPassword = randomBytes(18).toString('base64url')
  const children: Child[] = []
  const servers: ServerProcess[] = []
  let folders = 0
  const folder = () => {
    const path = join(dir, String(folders++))
    mkdirSync(path, { mode: 0o711 })
    return path
  }
  let pair: PostgresPair | undefined
  const stop = () => terminal.during('stopping', stopAll)
  const stopAll = async () => {
    await Promise.all(children.map((child) => child.stop()))
    await Promise.all(
      servers.filter(({ name }) => name !== 'redis').map((server) => stopServer(server, STOP_TIMEOUT_MS)),
    )
    await Promise.all(servers.map((server) => stopServer(server, STOP_TIMEOUT_MS)))
    await pair?.stop()
    guard.off()
    rmSync(dir, { recursive: true, force: true })
  }
  const openRedis = async () => {
    const redis = await startRedis({ dir: folder(), command: redisServer, guard })
    servers.push(redis.process)
    return redis
  }

  try {
    const { postgres, redis } = await terminal.during('Postgres, its replica and Redis', async () => {
      const postgres = await startPostgresPair({ dir: folder(), settings: postgresSettings, guard })
      pair = postgres
      return { postgres, redis: await openRedis() }
    })
    const asSuperuser = (port: number, database: string) =>
      postgresUrl(port, database, 'postgres', postgres.superuserPassword)
    const asApi = (port: number, database: string) => postgresUrl(port, database, 'hopwhistle_api', apiPassword)
    const { primary, replica } = postgres
    const asOwner = <T>(work: (client: Client) => Promise<T>) => withClient(asSuperuser(primary.port, 'postgres'), work)
    const urlsOf = (name: string): Database => ({
      primary: asApi(primary.port, name),
      replica: asApi(replica.port, name),
      owner: asSuperuser(primary.port, name),
      ownerReplica: asSuperuser(replica.port, name),
    })
    const createEmptyDatabase = async (name: string): Promise<Database> => {
      await asOwner((client) => client.query(`create database ${client.escapeIdentifier(name)}`))
      return urlsOf(name)
    }

    return {
      pair: postgres,
      redis,
      startRedis: openRedis,
      createEmptyDatabase,
      createDatabase: async (name, calls, itsCode = code) => {
        const show = (line: string) => terminal.show(`  … database ${name}: ${line}`)
        return terminal.during(`database ${name}`, async () => {
          const database = await createEmptyDatabase(name)
          const options = { ownerUrl: database.owner, code: itsCode, signal, onLine: show }
          await runDatabaseCommand('db-migrate', { ...options, apiPassword })
          await runDatabaseCommand('db-seed-demo', {
            ...options,
            args: calls === undefined ? [] : [`--calls=${calls}`],
          })
          return database
        })
      },
      copyDatabase: async (name, from) => {
        await asOwner((client) =>
          client.query(`create database ${client.escapeIdentifier(name)} template ${client.escapeIdentifier(from)}`),
        )
        return urlsOf(name)
      },
      dropDatabase: async (name) => {
        await asOwner((client) => client.query(`drop database ${client.escapeIdentifier(name)} with (force)`))
      },
      startApi: (database, instances, { redis: itsRedis = redis, env = {}, code: itsCode = code } = {}) =>
        Promise.all(
          Array.from({ length: instances }, async (_, i) => {
            const port = await freePort()
            const [instance] = await startApiInstances({
              dir: folder(),
              port,
              host: '127.0.0.1',
              instances: 1,
              code: itsCode,
              urls: { ...database, redis: itsRedis.url },
              env: { INSTANCE_ID: `api-${i + 1}`, ...NO_TENANT_RATE, ...env },
              onStart: (server) => servers.push(server),
              guard,
            })
            const { process, adminUrl } = instance!
            return { port, url: `http://127.0.0.1:${port}`, process, adminUrl }
          }),
        ),
      stopApi: async (instances) => {
        await Promise.all(instances.map(({ process }) => stopServer(process, STOP_TIMEOUT_MS)))
      },
      startProgram: async (name, program, config) => {
        signal.throwIfAborted()
        const child = await startChild<never>(name, program, config)
        children.push(child)
        return child
      },
      startServer: async (options, ready) => {
        const cwd = folder()
        const server = await startServer({ ...options, cwd, logFile: join(cwd, 'log'), stopSignal: 'SIGTERM', guard })
        servers.push(server)
        await waitForServer(server, ready, READY_TIMEOUT_MS)
        return server
      },
      stopServer: async (server) => void (await stopServer(server, STOP_TIMEOUT_MS)),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
