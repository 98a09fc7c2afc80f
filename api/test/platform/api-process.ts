import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { MALLOC_ENV, NODE_FLAGS } from '@hopwhistle/contract/node-flags.ts'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { freePort } from '../../../platform/machine/free-port.ts'
import type { Platform } from './running-platform.ts'

export type ApiProcess = {
  readonly process: ChildProcess
  readonly url: string
  /** All that it printed so far. */
  said(): string
}

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/**
 * One instance of the API as a process of its own, ready.
 *
 * @param wrapped puts something around `node api/src/main.ts`
 */
export async function apiProcess(...given: Parameters<typeof startApi>): Promise<ApiProcess> {
  const started = await startApi(...given)
  const isReady = async () => (await fetch(started.url + ROUTES.readyz).catch(() => undefined))?.ok
  await waitUntil('the API to be ready', isReady, { timeoutMs: 30_000, everyMs: 100 }).catch((error: Error) => {
    started.process.kill('SIGKILL')
    throw new Error(`${error.message}\n${started.said()}`, { cause: error })
  })
  return started
}

/** The same, and nobody knows yet whether it will be ready. */
export async function startApi(
  { database, redis }: Pick<Platform, 'database' | 'redis'>,
  env: Readonly<Record<string, string>> = {},
  wrapped = (command: readonly string[]) => command,
): Promise<ApiProcess> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const [command = '', ...args] = wrapped([process.execPath, ...NODE_FLAGS, MAIN])
  const child = spawn(command, args, {
    env: {
      PATH: process.env.PATH,
      HOST: '127.0.0.1',
      PORT: String(port),
      DATABASE_URL: database.apiUrl,
      DATABASE_REPLICA_URL: database.replicaUrl,
      REDIS_URL: redis.url,
      SHUTDOWN_DRAIN_MS: '0',
      ...MALLOC_ENV,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      said += text
    })
  }
  return { process: child, url, said: () => said }
}
