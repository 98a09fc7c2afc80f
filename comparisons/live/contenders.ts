/** The contenders of live delivery: the API and its alternatives, each as two instances that share a Redis. */
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { freePort } from '@hopwhistle/platform/machine/free-port.ts'
import { readGroup } from '@hopwhistle/platform/machine/process-group.ts'
import { besideK6 } from '@hopwhistle/platform/stack/api-instances.ts'
import { runName } from '../generator/call-events.ts'
import type { RequestPlan } from '../generator/requests.ts'
import { HEADERS_OF_KEY } from '../platform/key.ts'
import type { Database, PeerPlatform } from '../platform/peer-platform.ts'
import type { LiveSystem } from '../reader/protocol.ts'
import type { LivePeerConfig } from '../servers/plain-ws.ts'
import type { ServerReady } from '../servers/stores-nothing.ts'

export type LiveServers = {
  readonly ports: readonly number[]
  readonly pids: readonly number[]
  /** Requests that publish one message each, of a new run, because a repeated event is not published again. */
  newPlan(): RequestPlan
  /** Resident memory of all instances together. */
  memoryBytes(): number
  memoryOfEach(): readonly number[]
  stop(): Promise<void>
}

export type LivePlatform = {
  readonly platform: PeerPlatform
  readonly database: Database
  /** Path of the program; undefined when none was given. */
  readonly centrifugo: string | undefined
}

export async function startLive(live: LivePlatform, system: LiveSystem, instances: number): Promise<LiveServers> {
  const { ports, pids, stop } = await START[system](live, instances)
  return {
    ports,
    pids,
    stop,
    newPlan: () => ({
      kind: 'events',
      path: ROUTES.callEvent,
      headers: HEADERS_OF_KEY,
      run: runName(),
      runStartedAtMs: Date.now(),
      occurred: 'now',
      ...(system === 'centrifugo' ? { path: '/api/publish', headers: {}, as: 'centrifugo' } : {}),
    }),
    memoryBytes: () => pids.reduce((sum, pid) => sum + memoryOf(pid), 0),
    memoryOfEach: () => pids.map(memoryOf),
  }
}

const memoryOf = (pid: number): number => readGroup(pid)?.memoryBytes ?? 0

type Started = Pick<LiveServers, 'ports' | 'pids' | 'stop'>
type Start = (live: LivePlatform, instances: number) => Promise<Started>

const START: Readonly<Record<LiveSystem, Start>> = {
  ours: startOurs,
  oursLongTick: (live, instances) => startOurs(live, instances, besideK6({})),
  plainWs: (live, instances) => startPrograms(live, 'plain-ws', instances),
  socketIo: (live, instances) => startPrograms(live, 'socket-io', instances),
  centrifugo: async (live, instances) => {
    const nodes = await Promise.all(Array.from({ length: instances }, () => startCentrifugo(live)))
    return {
      ports: nodes.map(({ port }) => port),
      pids: nodes.map(({ server }) => server.pid),
      stop: async () => void (await Promise.all(nodes.map(({ server }) => live.platform.stopServer(server)))),
    }
  },
}

async function startOurs(
  { platform, database }: LivePlatform,
  instances: number,
  env: Readonly<Record<string, string>> = {},
): Promise<Started> {
  const api = await platform.startApi(database, instances, { env })
  return {
    ports: api.map(({ port }) => port),
    pids: api.map(({ process }) => process.pid),
    stop: () => platform.stopApi(api),
  }
}

async function startPrograms({ platform }: LivePlatform, program: string, instances: number): Promise<Started> {
  const config: LivePeerConfig = { redisUrl: platform.redis.url }
  const url = new URL(`../servers/${program}.ts`, import.meta.url)
  const programs = await Promise.all(
    Array.from({ length: instances }, () => platform.startProgram<ServerReady>(program, url, config)),
  )
  return {
    ports: programs.map(({ ready }) => ready.port),
    pids: programs.map(({ pid }) => pid),
    stop: async () => void (await Promise.all(programs.map((one) => one.stop()))),
  }
}

/** With its defaults, the Redis engine and no token. It keeps no history; the platform does. */
async function startCentrifugo({ platform, centrifugo }: LivePlatform) {
  const port = await freePort()
  const server = await platform.startServer(
    {
      name: 'centrifugo',
      command: centrifugo as string,
      args: [],
      env: {
        CENTRIFUGO_HTTP_SERVER_ADDRESS: '127.0.0.1',
        CENTRIFUGO_HTTP_SERVER_PORT: String(port),
        CENTRIFUGO_HTTP_API_INSECURE: 'true',
        CENTRIFUGO_HEALTH_ENABLED: 'true',
        CENTRIFUGO_CLIENT_INSECURE: 'true',
        CENTRIFUGO_CLIENT_ALLOWED_ORIGINS: '*',
        CENTRIFUGO_CHANNEL_WITHOUT_NAMESPACE_ALLOW_SUBSCRIBE_FOR_CLIENT: 'true',
        CENTRIFUGO_CHANNEL_WITHOUT_NAMESPACE_ALLOW_SUBSCRIBE_FOR_ANONYMOUS: 'true',
        CENTRIFUGO_ENGINE_TYPE: 'redis',
        CENTRIFUGO_ENGINE_REDIS_ADDRESS: platform.redis.url,
        CENTRIFUGO_LOG_LEVEL: 'warn',
      },
    },
    async () => (await fetch(`http://127.0.0.1:${port}/health`)).ok,
  )
  return { port, server }
}
