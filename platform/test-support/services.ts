import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import { startGuard } from '../stack/guard.ts'
import { type PostgresPair, type PostgresServer, postgresUrl, startPostgresPair } from '../stack/postgres-pair.ts'
import { type RedisServer, startRedis } from '../stack/redis-server.ts'
import { makeTempDir } from '../stack/run-as.ts'
import { stopServer } from '../stack/server-process.ts'
import { startAnotherReplica } from './another-replica.ts'

/** A Postgres pair with a migrated template database, as plain data that is sent to the test workers. */
export type TestPostgres = {
  readonly id: string
  readonly version: string
  readonly primaryPort: number
  readonly replicaPort: number
  readonly primaryPid: number
  readonly replicaPid: number
  readonly superuserPassword: string
  readonly apiPassword: string
  readonly template: string
}

export type TestRedis = { readonly id: string; readonly url: string; readonly port: number; readonly pid: number }

export type Services = {
  readonly dir: string
  readonly verbs: Readonly<Record<string, (id: string) => Promise<unknown>>>
  stop(): Promise<void>
}

export const TEMPLATE = 'hopwhistle_template'
const MIGRATE = fileURLToPath(new URL('../../api/src/commands/db-migrate.ts', import.meta.url))

/** Test data need not survive a power cut. Commits and replication work as in production. */
const QUICK = { fsync: 'off', full_page_writes: 'off', shared_buffers: '64MB', max_wal_size: '1GB' }

export function createServices(): Services {
  const dir = makeTempDir('hopwhistle-test-')
  const guard = startGuard()
  guard.remove(dir)
  const pairs = new Map<string, PostgresPair & { readonly dir: string }>()
  const others = new Map<string, PostgresServer>()
  const redises = new Map<string, { server: RedisServer; dir: string }>()
  let count = 0
  let shared: Promise<TestPostgres> | undefined

  const folder = (kind: string) => {
    const path = join(dir, `${kind}-${++count}`)
    mkdirSync(path, { mode: 0o711 })
    return path
  }

  async function newPair(): Promise<TestPostgres> {
    const path = folder('pair')
    // Before the first await: another pair may be requested meanwhile, and must not get the same id.
    const id = String(count)
    const pair = await startPostgresPair({ dir: path, guard, settings: QUICK })
    pairs.set(id, { ...pair, dir: path })
    const apiPassword = randomBytes(18).toString('base64url')
    await createTemplate(pair, apiPassword)
    return {
      id,
      version: pair.version,
      primaryPort: pair.primary.port,
      replicaPort: pair.replica.port,
      primaryPid: pair.primary.process.pid,
      replicaPid: pair.replica.process.pid,
      superuserPassword: pair.superuserPassword,
      apiPassword,
      template: TEMPLATE,
    }
  }

  async function startRedisIn(path: string, id: string, port?: number): Promise<TestRedis> {
    const server = await startRedis({ dir: path, guard, ...(port === undefined ? {} : { port }) })
    redises.set(id, { server, dir: path })
    return { id, url: server.url, port: server.port, pid: server.process.pid }
  }

  const known = <T>(map: ReadonlyMap<string, T>, id: string): T => {
    const found = map.get(id)
    if (found === undefined) throw new Error(`there is no server "${id}"`)
    return found
  }

  return {
    dir,
    verbs: {
      postgres: () => {
        shared ??= newPair()
        return shared
      },
      'own-postgres': newPair,
      'another-replica': async (id) => {
        const server = await startAnotherReplica({ ...known(pairs, id), guard })
        others.set(id, server)
        return { port: server.port, pid: server.process.pid }
      },
      'stop-postgres': async (id) => {
        const other = others.get(id)
        if (other !== undefined) await stopServer(other.process, 10_000)
        others.delete(id)
        await known(pairs, id).stop()
        pairs.delete(id)
      },
      redis: async () => {
        const path = folder('redis')
        return startRedisIn(path, String(count))
      },
      'stop-redis': (id) => known(redises, id).server.stop(),
      /** On the same port and empty, as after a crash. */
      'start-redis': (id) => {
        const { server, dir } = known(redises, id)
        return startRedisIn(dir, id, server.port)
      },
    },
    stop: async () => {
      await Promise.allSettled([...redises.values()].map(({ server }) => server.stop()))
      await Promise.allSettled([...others.values()].map((other) => stopServer(other.process, 10_000)))
      await Promise.allSettled([...pairs.values()].map((pair) => pair.stop()))
      guard.off()
    },
  }
}

async function createTemplate(pair: PostgresPair, apiPassword: string): Promise<void> {
  const url = (database: string) => postgresUrl(pair.primary.port, database, 'postgres', pair.superuserPassword)
  const client = new pg.Client({ connectionString: url('postgres') })
  await client.connect()
  try {
    await client.query(`create database ${TEMPLATE}`)
    await promisify(execFile)(process.execPath, [MIGRATE], {
      env: { ...process.env, MIGRATION_DATABASE_URL: url(TEMPLATE), API_DATABASE_PASSWORD: apiPassword },
    })
    // From here on it is only copied; an open connection would prevent that.
    await client.query(`alter database ${TEMPLATE} with allow_connections false`)
  } finally {
    await client.end()
  }
}
