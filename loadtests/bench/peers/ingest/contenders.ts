/** Who takes call events: the API, and two servers that anyone could write. */

import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { type EventGenerator, startEventGenerator } from '../generator/start-generator.ts'
import type { WatchedGroups } from '../measure/cpu-meter.ts'
import { TENANT_ID } from '../platform/key.ts'
import type { Database, PeerPlatform } from '../platform/peer-platform.ts'
import { withClient } from '../platform/with-client.ts'
import type { EventSchemas } from '../servers/event-route.ts'
import type { RowAtATimeConfig } from '../servers/row-at-a-time.ts'
import type { ServerReady, StoresNothingConfig } from '../servers/stores-nothing.ts'
import { checkStored } from './check-stored.ts'

export type IngestName = 'ours' | 'storesNothing' | 'rowAtATime'

export type IngestContender = {
  readonly generator: EventGenerator
  readonly groups: WatchedGroups
  /** Compares all that was acknowledged with the database. @throws {NotStored} */
  check(): Promise<{ readonly events: number; readonly calls: number }>
  stop(): Promise<void>
}

/** So many instances of one of them, and a generator with so many connections to them. */
export async function startIngestContender(
  platform: PeerPlatform,
  database: Database,
  schemas: EventSchemas,
  name: IngestName,
  { instances, connections }: { readonly instances: number; readonly connections: number },
): Promise<IngestContender> {
  const started = await START[name](platform, database, schemas, instances)
  const generator = await startEventGenerator(platform, started.ports, connections)
  const { primary, replica } = platform.pair
  return {
    generator,
    groups: {
      servers: started.pids,
      'postgres primary': [primary.process.pid],
      'postgres replica': [replica.process.pid],
      redis: [platform.redis.process.pid],
    },
    check: async () => {
      if (name === 'storesNothing') return { events: 0, calls: 0 }
      return withClient(database.owner, (client) => checkStored(client, TENANT_ID, generator.acknowledged()))
    },
    stop: async () => {
      await generator.stop()
      await started.stop()
    },
  }
}

type Servers = { readonly ports: readonly number[]; readonly pids: readonly number[]; stop(): Promise<void> }
type Start = (platform: PeerPlatform, database: Database, schemas: EventSchemas, instances: number) => Promise<Servers>

const START: Readonly<Record<IngestName, Start>> = {
  ours: async (platform, database, _, instances) => {
    const api = await platform.startApi(database, instances)
    return {
      ports: api.map(({ port }) => port),
      pids: api.map(({ process }) => process.pid),
      stop: () => platform.stopApi(api),
    }
  },
  storesNothing: (platform, _, schemas, instances) =>
    startPrograms(platform, 'stores-nothing', instances, { schemas } satisfies StoresNothingConfig),
  rowAtATime: (platform, database, schemas, instances) =>
    startPrograms(platform, 'row-at-a-time', instances, {
      schemas,
      databaseUrl: database.owner,
      tenantId: TENANT_ID,
      poolSize: LIMITS.postgres_pool.value,
    } satisfies RowAtATimeConfig),
}

async function startPrograms(
  platform: PeerPlatform,
  program: string,
  instances: number,
  config: unknown,
): Promise<Servers> {
  const url = new URL(`../servers/${program}.ts`, import.meta.url)
  const programs = await Promise.all(
    Array.from({ length: instances }, () => platform.startProgram<ServerReady>(program, url, config)),
  )
  return {
    ports: programs.map(({ ready }) => ready.port),
    pids: programs.map(({ pid }) => pid),
    stop: async () => void (await Promise.all(programs.map((program) => program.stop()))),
  }
}
