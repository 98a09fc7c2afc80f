/** What real servers make of their arguments: every setting that they have, as they report it themselves. */
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { INITDB_ARGUMENTS } from '@hopwhistle/platform/settings/postgres.ts'
import { Redis } from 'ioredis'
import pg from 'pg'
import { onTestFinished } from 'vitest'
import { freePort } from '../../../platform/machine/free-port.ts'
import { type Guard, startGuard } from '../../../platform/stack/guard.ts'
import { findPostgres } from '../../../platform/stack/postgres-binaries.ts'
import { ownFolder, postgresEnvironment } from '../../../platform/stack/postgres-folders.ts'
import { redisAnswers } from '../../../platform/stack/redis-server.ts'
import { makeTempDir, unprivilegedUser } from '../../../platform/stack/run-as.ts'
import { type ServerProcess, startServer, stopServer, waitForServer } from '../../../platform/stack/server-process.ts'

export type Reported = Readonly<Record<string, string>>

const READY_TIMEOUT_MS = 30_000

/** A folder that is gone when the test ends, and a guard for what runs in it. */
export function workplace(): { readonly dir: string; readonly guard: Guard } {
  const dir = makeTempDir('hopwhistle-settings-', unprivilegedUser())
  const guard = startGuard()
  guard.remove(dir)
  onTestFinished(() => {
    guard.off()
    rmSync(dir, { recursive: true, force: true })
  })
  return { dir, guard }
}

/** A database in which `postgres ARGUMENTS` can be started, again and again, to ask it for its settings. */
export function postgresToAsk({ dir, guard }: ReturnType<typeof workplace>) {
  const user = unprivilegedUser()
  const { postgres, initdb } = findPostgres(user)
  const data = ownFolder(join(dir, 'asked'), user)
  const env = postgresEnvironment()
  const made = ['-D', data, '-U', 'postgres', '-A', 'trust', ...INITDB_ARGUMENTS, '-N']
  execFileSync(initdb, made, { cwd: data, env, stdio: 'ignore', ...user })

  return async (args: readonly string[]): Promise<Reported> => {
    const port = await freePort()
    const local = [
      `-cport=${port}`,
      '-clisten_addresses=127.0.0.1',
      '-cunix_socket_directories=',
      `-chba_file=${data}/pg_hba.conf`,
    ]
    const server = await startServer({
      name: 'postgres',
      command: postgres,
      args: ['-D', data, ...args.map((argument) => reachable(argument, dir)), ...local],
      cwd: data,
      env,
      logFile: join(dir, 'asked.log'),
      stopSignal: 'SIGINT',
      runAs: user,
      guard,
    })
    const url = `postgres://postgres@127.0.0.1:${port}/postgres`
    return asked(server, () => askPostgres(url))
  }
}

/** Every setting of a Postgres, by name, in the unit that it counts in. */
export async function askPostgres(url: string): Promise<Reported> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
  client.on('error', () => {})
  await client.connect()
  try {
    const { rows } = await client.query<{ name: string; setting: string }>(
      'select lower(name) as name, setting from pg_settings',
    )
    return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))
  } finally {
    await client.end()
  }
}

/** Starts `redis-server ARGUMENTS`, asks it for its settings and stops it. */
export async function redisAsked(
  args: readonly string[],
  { dir, guard }: ReturnType<typeof workplace>,
): Promise<Reported> {
  const port = await freePort()
  const server = await startServer({
    name: 'redis',
    command: 'redis-server',
    args: [...args, '--port', `${port}`, '--bind', '127.0.0.1'],
    cwd: dir,
    env: { PATH: process.env.PATH ?? '' },
    logFile: join(dir, 'redis.log'),
    stopSignal: 'SIGTERM',
    guard,
  })
  return asked(server, async () =>
    (await redisAnswers(port, server.pid)) ? askRedis(`redis://127.0.0.1:${port}`) : false,
  )
}

export async function askRedis(url: string): Promise<Reported> {
  const redis = new Redis(url)
  try {
    const flat = (await redis.config('GET', '*')) as readonly string[]
    return Object.fromEntries(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1] ?? '']] : [])))
  } finally {
    redis.disconnect()
  }
}

async function asked(server: ServerProcess, ask: () => Promise<Reported | false>): Promise<Reported> {
  try {
    return await waitForServer(server, ask, READY_TIMEOUT_MS)
  } finally {
    await stopServer(server, 10_000)
  }
}

/** The checkout may be in a folder that the user of Postgres cannot enter. */
function reachable(argument: string, dir: string): string {
  const [, file] = /^-cconfig_file=(.*)$/.exec(argument) ?? []
  if (file === undefined) return argument
  const copy = join(dir, basename(file))
  copyFileSync(file, copy)
  chmodSync(copy, 0o644)
  return `-cconfig_file=${copy}`
}
