/** The contenders of ingest: the API, the API at the base, and two simple servers. */
import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { OUR_CODE } from '@hopwhistle/platform/checkout/platform-code.ts'
import { waitUntil } from '@hopwhistle/platform/lib/wait-until.ts'
import type { Settings } from '@hopwhistle/platform/settings/postgres.ts'
import { settlePostgres } from '@hopwhistle/platform/stack/settle-postgres.ts'
import { withClient } from '@hopwhistle/platform/stack/with-client.ts'
import { checkStored, ROW_TABLES } from '../base/check-stored.ts'
import { type Base, openBase } from '../base/open-base.ts'
import { type EventGenerator, startEventGenerator } from '../generator/start-generator.ts'
import type { WatchedGroups } from '../measure/cpu-meter.ts'
import { pause, resume } from '../measure/pause.ts'
import type { PartOptions } from '../parts.ts'
import { readEventSchemas } from '../platform/api-schemas.ts'
import { TENANT_ID } from '../platform/key.ts'
import { type Api, type Database, type PeerPlatform, startPeerPlatform } from '../platform/peer-platform.ts'
import type { EventSchemas } from '../servers/event-route.ts'
import type { RowAtATimeConfig } from '../servers/row-at-a-time.ts'
import { createRowTables } from '../servers/row-store.ts'
import type { ServerReady, StoresNothingConfig } from '../servers/stores-nothing.ts'

export type IngestName = 'ours' | 'base' | 'rowAtATime' | 'storesNothing'

export type Checked = { readonly events: number; readonly calls: number }

export type IngestContender = {
  readonly name: IngestName
  readonly groups: WatchedGroups
  /** Absent for the contender that stores nothing. */
  readonly database: Database | undefined
  /**
   * Runs the contender while `measure` runs, with a new generator connected to it. Its API instances are paused before and
   * after.
   *
   * @throws {NotStored} when an acknowledged event is not in the database afterwards
   */
  turn<T>(measure: (generator: EventGenerator) => Promise<T>): Promise<T & { readonly checked: Checked }>
}

export type IngestSize = { readonly instances: number; readonly connections: number }

type Started = {
  readonly pids: readonly number[]
  readonly ports: readonly number[]
  readonly platform: PeerPlatform
  readonly database?: Database
  readonly isReady?: () => Promise<boolean>
  readonly check?: (generator: EventGenerator) => Promise<Checked>
}

const CALLS_BEFORE = 1_000
const READY_TIMEOUT_MS = 30_000

/**
 * Starts each contender on its own servers: a Postgres primary, its replica and, for the API, a Redis. Stops them when
 * `use` is done.
 *
 * @param names `ours` must be the first: the others get the schema of an event from it
 */
export async function withIngestContenders<T>(
  options: PartOptions & { readonly postgresSettings?: Settings },
  names: readonly ['ours', ...IngestName[]],
  size: IngestSize,
  use: (contenders: readonly IngestContender[], base: Base) => Promise<T>,
): Promise<T> {
  const base = await openBase(options)
  const platforms: PeerPlatform[] = []
  const paused: number[] = []
  const open = async (code = OUR_CODE) => {
    const platform = await startPeerPlatform({ ...options, code })
    platforms.push(platform)
    return platform
  }
  const startApi = async (platform: PeerPlatform, check: typeof checkStored) => {
    const database = await platform.createDatabase('ingest', CALLS_BEFORE)
    const api = await platform.startApi(database, size.instances)
    paused.push(...pidsOf(api))
    return { database, api, started: startedApi(platform, database, api, check) }
  }

  const contenders: IngestContender[] = []
  try {
    const platform = await open()
    const ours = await startApi(platform, checkStored)
    const schemas = await readEventSchemas(ours.api[0]!.url)
    const start: Readonly<Record<IngestName, () => Promise<Started>>> = {
      ours: async () => ours.started,
      base: async () => (await startApi(await open(base.code), base.checkStored)).started,
      rowAtATime: async () => startRowAtATime(await open(), schemas, size),
      storesNothing: async () =>
        startPrograms(platform, 'stores-nothing', size, { schemas } satisfies StoresNothingConfig),
    }
    for (const name of names) {
      options.signal.throwIfAborted()
      const started = await options.terminal.during(`${name} starts`, start[name])
      contenders.push(contender(name, started, size))
    }
    return await use(contenders, base)
  } finally {
    // A paused process does not receive the signal to stop.
    resume(paused)
    await Promise.all(platforms.map((platform) => platform.stop()))
    await base.remove()
  }
}

function contender(name: IngestName, started: Started, { connections }: IngestSize): IngestContender {
  const { platform, database, pids, ports, isReady, check } = started
  const { primary, replica } = platform.pair
  const isApi = isReady !== undefined
  if (isApi) pause(pids)
  return {
    name,
    database,
    groups: {
      servers: pids,
      ...(database && {
        'postgres primary': [primary.process.pid],
        'postgres replica': [replica.process.pid],
      }),
      ...(isApi && { redis: [platform.redis.process.pid] }),
    },
    turn: async (measure) => {
      if (isApi) {
        resume(pids)
        await waitUntil(`${name} to be ready again`, isReady, { timeoutMs: READY_TIMEOUT_MS })
      }
      if (database) await settlePostgres({ primaryUrl: database.owner, replicaUrl: database.ownerReplica })
      // New connections for each turn: between two turns the server would close idle ones.
      const generator = await startEventGenerator(platform, ports, connections)
      try {
        const measured = await measure(generator)
        return { ...measured, checked: (await check?.(generator)) ?? { events: 0, calls: 0 } }
      } finally {
        await generator.stop()
        if (isApi) pause(pids)
      }
    },
  }
}

const pidsOf = (api: readonly Api[]): readonly number[] => api.map(({ process }) => process.pid)

const startedApi = (
  platform: PeerPlatform,
  database: Database,
  api: readonly Api[],
  check: typeof checkStored,
): Started => ({
  platform,
  database,
  pids: pidsOf(api),
  ports: api.map(({ port }) => port),
  isReady: async () => {
    const answers = await Promise.all(api.map(({ adminUrl }) => fetch(`${adminUrl}/readyz`)))
    return answers.every(({ ok }) => ok)
  },
  check: (generator) => withClient(database.owner, (client) => check(client, TENANT_ID, generator.acknowledged())),
})

async function startRowAtATime(platform: PeerPlatform, schemas: EventSchemas, size: IngestSize): Promise<Started> {
  const database = await platform.createEmptyDatabase('ingest')
  await withClient(database.owner, createRowTables)
  const started = await startPrograms(platform, 'row-at-a-time', size, {
    schemas,
    databaseUrl: database.owner,
    tenantId: TENANT_ID,
    poolSize: LIMITS.postgres_pool.value,
  } satisfies RowAtATimeConfig)
  return {
    ...started,
    database,
    check: (generator) =>
      withClient(database.owner, (client) => checkStored(client, TENANT_ID, generator.acknowledged(), ROW_TABLES)),
  }
}

async function startPrograms(
  platform: PeerPlatform,
  program: string,
  { instances }: IngestSize,
  config: unknown,
): Promise<Started> {
  const url = new URL(`../servers/${program}.ts`, import.meta.url)
  const programs = await Promise.all(
    Array.from({ length: instances }, () => platform.startProgram<ServerReady>(program, url, config)),
  )
  return { platform, ports: programs.map(({ ready }) => ready.port), pids: programs.map(({ pid }) => pid) }
}
