/** A platform with nothing to do: a Postgres pair and a Redis of its own, and one API instance at a time. */
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { MALLOC_ENV, NODE_FLAGS } from '@hopwhistle/contract/node-flags.ts'
import pg from 'pg'
import { freePort } from '../../../platform/machine/free-port.ts'
import { runProgram } from '../../../platform/machine/run-program.ts'
import type { Guard } from '../../../platform/stack/guard.ts'
import { postgresUrl, startPostgresPair } from '../../../platform/stack/postgres-pair.ts'
import { startRedis } from '../../../platform/stack/redis-server.ts'
import { startServer, stopServer, waitForServer } from '../../../platform/stack/server-process.ts'

export type Part = 'api' | 'primary' | 'replica' | 'redis'

export type IdleStack = {
  /** The database, as the superuser. */
  readonly databaseUrl: string
  /** Of the API instance that was started last. */
  url(): string
  /** @returns the main process of each part */
  startApi(): Promise<Readonly<Record<Part, number>>>
  stopApi(): Promise<void>
  stop(): Promise<void>
}

const DATABASE = 'hopwhistle'
const READY_TIMEOUT_MS = 60_000

/** @param checkout whose API and schema it has */
export async function startIdleStack(checkout: string, dir: string, guard: Guard): Promise<IdleStack> {
  mkdirSync(dir, { mode: 0o711 })
  const [pair, redis] = await Promise.all([startPostgresPair({ dir, guard }), startRedis({ dir, guard })])
  const stops = [() => pair.stop(), () => redis.stop()]
  const stopServers = () => Promise.allSettled(stops.map((stop) => stop()))
  const apiPassword = randomBytes(18).toString('base64url')
  const superuser = (database: string) => postgresUrl(pair.primary.port, database, 'postgres', pair.superuserPassword)
  const apiUrl = (port: number) => postgresUrl(port, DATABASE, 'hopwhistle_api', apiPassword)
  try {
    const client = new pg.Client({ connectionString: superuser('postgres') })
    await client.connect()
    await client.query(`create database ${DATABASE}`).finally(() => client.end())
    await runProgram(process.execPath, [join(checkout, 'api/src/commands/db-migrate.ts')], {
      env: {
        PATH: process.env.PATH ?? '',
        MIGRATION_DATABASE_URL: superuser(DATABASE),
        API_DATABASE_PASSWORD: apiPassword,
      },
      onLine: () => {},
    })
  } catch (error) {
    await stopServers()
    throw error
  }
  let api: Awaited<ReturnType<typeof startServer>> | undefined
  let url = ''

  const stopApi = async () => {
    if (api !== undefined) await stopServer(api, 10_000)
    api = undefined
  }
  return {
    databaseUrl: superuser(DATABASE),
    url: () => url,
    startApi: async () => {
      const port = await freePort()
      url = `http://127.0.0.1:${port}`
      api = await startServer({
        name: 'the API',
        command: process.execPath,
        args: [...NODE_FLAGS, join(checkout, 'api/src/main.ts')],
        cwd: checkout,
        env: {
          ...MALLOC_ENV,
          PATH: process.env.PATH ?? '',
          NODE_ENV: 'production',
          LOG_LEVEL: 'warn',
          HOST: '127.0.0.1',
          PORT: String(port),
          DATABASE_URL: apiUrl(pair.primary.port),
          DATABASE_REPLICA_URL: apiUrl(pair.replica.port),
          REDIS_URL: redis.url,
          SHUTDOWN_DRAIN_MS: '0',
        },
        logFile: join(dir, 'api.log'),
        stopSignal: 'SIGTERM',
        guard,
      })
      await waitForServer(api, async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok, READY_TIMEOUT_MS)
      return {
        api: api.pid,
        primary: pair.primary.process.pid,
        replica: pair.replica.process.pid,
        redis: redis.process.pid,
      }
    },
    stopApi,
    stop: async () => {
      await stopApi()
      await stopServers()
    },
  }
}
