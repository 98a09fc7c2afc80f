/** A Redis on this machine that stores nothing on disk and has the platform's memory limit. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { freePort } from '../machine/free-port.ts'
import { NUMBERS } from '../settings/arithmetic.ts'
import { REDIS_MEMORY_BYTES, redisArguments, redisSettings } from '../settings/redis.ts'
import type { Guard } from './guard.ts'
import type { ServerProcess } from './server-process.ts'
import { startServer, stopServer, waitForServer } from './server-process.ts'

export type RedisServer = {
  readonly process: ServerProcess
  readonly port: number
  readonly url: string
  /** Stops it and removes its folder. */
  stop(): Promise<void>
}

export type RedisOptions = {
  readonly dir: string
  /** 0 or absent: a free one. */
  readonly port?: number
  /** When the given port is taken: `fail` throws and names it, `another` takes a free one. */
  readonly ifTaken?: 'fail' | 'another'
  /** Absent: the server outlives this process. */
  readonly guard?: Guard
  /** The program; absent: `redis-server` on the PATH. */
  readonly command?: string
}

const READY_TIMEOUT_MS = 15_000
const ANSWER_WITHIN_MS = 2_000
const PORT_ATTEMPTS = 3

/** @throws when the program is missing or cannot listen on the port */
export async function startRedis(options: RedisOptions): Promise<RedisServer> {
  const dir = join(options.dir, 'redis')
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  for (let attempt = 1; ; attempt++) {
    const given = attempt === 1 || options.ifTaken !== 'another' ? options.port : undefined
    const port = given || (await freePort())
    const server = await startServer({
      name: 'redis',
      command: options.command ?? 'redis-server',
      args: redisArguments({
        ...redisSettings({ memoryBytes: REDIS_MEMORY_BYTES }, NUMBERS),
        port: String(port),
        bind: '127.0.0.1',
        dir,
      }),
      cwd: dir,
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
      logFile: join(dir, 'redis.log'),
      stopSignal: 'SIGTERM',
      guard: options.guard,
    })
    const stop = async () => {
      await stopServer(server, 5_000)
      rmSync(dir, { recursive: true, force: true })
    }
    try {
      await waitForServer(server, () => redisAnswers(port, server.pid), READY_TIMEOUT_MS)
      return { process: server, port, url: `redis://127.0.0.1:${port}`, stop }
    } catch (error) {
      await stopServer(server, 1_000)
      const portTaken = /in use/i.test((error as Error).message)
      if (portTaken && given && options.ifTaken !== 'another')
        throw new Error(`port ${port} for redis is in use`, { cause: error })
      if (!portTaken || attempt === PORT_ATTEMPTS) throw error
    }
  }
}

/** True once our Redis answers, not another one on this port. */
export async function redisAnswers(port: number, pid: number): Promise<boolean> {
  const redis = new Redis({
    host: '127.0.0.1',
    port,
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: ANSWER_WITHIN_MS,
    commandTimeout: ANSWER_WITHIN_MS,
  })
  redis.on('error', () => {})
  try {
    await redis.connect()
    return new RegExp(`^process_id:${pid}\\r?$`, 'm').test(await redis.info('server'))
  } finally {
    redis.disconnect()
  }
}
