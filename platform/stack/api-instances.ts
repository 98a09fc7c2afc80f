/** API instances that share one port: the kernel spreads new connections over them. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { apiProgram, OUR_CODE, type PlatformCode } from '../checkout/platform-code.ts'
import { freePort } from '../machine/free-port.ts'
import { providerSecretsKey } from '../settings/providers.ts'
import type { Guard } from './guard.ts'
import type { ServerProcess } from './server-process.ts'
import { startServer, waitForServer } from './server-process.ts'
import type { ApiInstance, StackDetails } from './stack-record.ts'

export type ApiOptions = {
  readonly dir: string
  readonly port: number
  readonly host: string
  readonly instances: number
  readonly urls: StackDetails['urls']
  readonly guard?: Guard
  /** Absent: that of this checkout. */
  readonly code?: PlatformCode
  /** Added to the environment of every instance. */
  readonly env?: Readonly<Record<string, string>>
  /** Called with each process as soon as it runs. */
  readonly onStart: (server: ServerProcess) => void
}

/** `LIVE_TICK_MS` where k6 runs on the platform's cores: a frame costs k6 more than it costs the platform. */
export const TICK_BESIDE_K6_MS = 30

/** Environment of such a platform; values that the user set have precedence. */
export const besideK6 = (env: NodeJS.ProcessEnv = process.env): Readonly<Record<string, string>> => ({
  LIVE_TICK_MS: env.LIVE_TICK_MS || String(TICK_BESIDE_K6_MS),
})

const READY_TIMEOUT_MS = 60_000

/** Only Linux spreads the load over processes that share a port; elsewhere there is one instance. */
export function mostInstances(platform: NodeJS.Platform = process.platform): number {
  return platform === 'linux' ? Number.POSITIVE_INFINITY : 1
}

/** @throws when one does not become ready: with the end of its log */
export async function startApiInstances(options: ApiOptions): Promise<readonly ApiInstance[]> {
  mkdirSync(join(options.dir, 'api'), { recursive: true, mode: 0o700 })
  const ids = Array.from({ length: options.instances }, (_, i) => `api-${i + 1}`)
  return Promise.all(ids.map((id) => startApiInstance(id, options)))
}

/** Starts one, also one that ran before. @throws when it does not become ready: with the end of its log */
export async function startApiInstance(id: string, options: ApiOptions): Promise<ApiInstance> {
  const instance = await startApi(id, options)
  const { process, adminUrl } = instance
  await waitForServer(process, async () => (await fetch(`${adminUrl}/readyz`)).ok, READY_TIMEOUT_MS)
  return instance
}

async function startApi(id: string, options: ApiOptions): Promise<ApiInstance> {
  const { dir, port, host, instances, urls, guard, code = OUR_CODE, env, onStart } = options
  const adminPort = await freePort()
  const server = await startServer({
    name: id,
    command: process.execPath,
    args: [...code.nodeFlags, apiProgram(code, 'main.ts')],
    cwd: code.dir,
    env: {
      // Passes only the settings of the API that the user set, such as limits, and not the rest of the environment.
      ...limitsFrom(process.env),
      ...code.nodeEnv,
      PATH: process.env.PATH ?? '',
      NODE_ENV: 'production',
      LOG_LEVEL: 'warn',
      INSTANCE_ID: id,
      HOST: host,
      PORT: String(port),
      REUSE_PORT: String(instances > 1),
      ADMIN_PORT: String(adminPort),
      DATABASE_URL: urls.primary,
      DATABASE_REPLICA_URL: urls.replica,
      REDIS_URL: urls.redis,
      PROVIDER_SECRETS_KEY: providerSecretsKey(),
      // There is no load balancer that would have to notice the stop.
      SHUTDOWN_DRAIN_MS: '0',
      ...env,
    },
    logFile: join(dir, 'api', `${id}.log`),
    stopSignal: 'SIGTERM',
    guard,
  })
  onStart(server)
  return { id, process: server, adminUrl: `http://127.0.0.1:${adminPort}` }
}

/** The settings that instances get in this environment, for documents: without possible secrets. */
export const settingsGiven = (apiEnv: ApiOptions['env'] = {}): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(limitsFrom({ ...process.env, ...apiEnv })).filter(([name]) => !/PASSWORD|SECRET|TOKEN/.test(name)),
  )

const PASSED_ON =
  /^(POSTGRES_|REDIS_MAX_|MAX_|REQUEST_TIMEOUT_MS$|INGEST_|OUTBOX_|LIVE_|MEMORY_|REPORT_|REPLICA_|KEY_CACHE_|TENANT_RATE_|LOG_LEVEL$|NODE_OPTIONS$)/

function limitsFrom(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value !== undefined && PASSED_ON.test(name) ? [[name, value]] : [],
    ),
  )
}
