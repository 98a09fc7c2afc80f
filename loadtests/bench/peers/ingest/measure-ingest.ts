/** Ingest beside a route that stores nothing, and beside a transaction for each request. */
import { settlePostgres } from '../../run/settle-postgres.ts'
import type { Load } from '../generator/load.ts'
import { measureLoad } from '../measure/loaded.ts'
import { runRounds } from '../measure/run-rounds.ts'
import type { MeasurePart, PartOptions } from '../parts.ts'
import { readEventSchemas } from '../platform/api-schemas.ts'
import { type Database, type PeerPlatform, startPeerPlatform } from '../platform/peer-platform.ts'
import type { EventSchemas } from '../servers/event-route.ts'
import { type IngestContender, type IngestName, startIngestContender } from './contenders.ts'
import { ingestFigures } from './ingest-figures.ts'
import { AT_RATE, type IngestMeasured, type IngestTurn, MOST } from './ingest-measured.ts'

const CALLS_BEFORE = 1_000

export const measureIngest: MeasurePart = async (options) => {
  const platform = await startPeerPlatform(options)
  try {
    const database = await platform.createDatabase('ingest', CALLS_BEFORE)
    const schemas = await readSchemas(platform, database)
    const seconds = options.quick ? 1 : 6
    const most = await measure(options, platform, database, schemas, ['ours', 'storesNothing', 'rowAtATime'], MOST, {
      mode: 'closed',
      seconds,
    })
    const atRate = await measure(
      options,
      platform,
      database,
      schemas,
      ['ours', 'rowAtATime'],
      options.quick ? MOST : AT_RATE,
      {
        mode: 'open',
        seconds: options.quick ? 1 : 10,
        ratePerSecond: AT_RATE.ratePerSecond,
      },
    )
    const measured = { most, atRate } as IngestMeasured
    return { ...ingestFigures(measured), raw: measured }
  } finally {
    await platform.stop()
  }
}

async function measure(
  options: PartOptions,
  platform: PeerPlatform,
  database: Database,
  schemas: EventSchemas,
  names: readonly IngestName[],
  size: { readonly instances: number; readonly connections: number },
  load: Load,
): Promise<Readonly<Record<string, readonly IngestTurn[]>>> {
  const { quick, terminal } = options
  const started: [IngestName, IngestContender][] = []
  for (const name of names) {
    const start = () => startIngestContender(platform, database, schemas, name, size)
    started.push([name, await terminal.during(`ingest: ${name} starts`, start)])
  }
  const contenders = started.map(([name, contender]) => ({
    name,
    measure: async () => {
      await settlePostgres({ primaryUrl: database.owner, replicaUrl: database.ownerReplica })
      const loaded = await measureLoad(contender.generator, contender.groups, load, quick ? 0.5 : 2)
      return { ...loaded, checked: await contender.check() }
    },
  }))
  const how = load.mode === 'closed' ? 'at most' : 'at a rate'
  const measured = await runRounds(`ingest, ${how}`, options, contenders)
  // Their connections to Postgres would be too many beside those of the next.
  for (const [, contender] of started) await contender.stop()
  return measured
}

async function readSchemas(platform: PeerPlatform, database: Database): Promise<EventSchemas> {
  const api = await platform.startApi(database, 1)
  const schemas = await readEventSchemas(api[0]!.url)
  await platform.stopApi(api)
  return schemas
}
