/** Two databases with the same 30 days on one Postgres pair, one with a hundred times the events; an API for each. */

import { withClient } from '@hopwhistle/platform/stack/with-client.ts'
import { Redis } from 'ioredis'
import type { PartOptions } from '../parts.ts'
import { type Api, type Database, type PeerPlatform, startPeerPlatform } from '../platform/peer-platform.ts'

export type History = {
  readonly database: Database
  readonly api: Api
  readonly events: number
  /** Clears the cache: the next request to the API reads Postgres. */
  forget(): Promise<void>
}

export type ReportsPlatform = {
  readonly platform: PeerPlatform
  readonly small: History
  readonly large: History
  /** How long it took to create the large one. */
  readonly seedSeconds: number
  stop(): Promise<void>
}

/** A call of the demo has 3.65 events. */
const CALLS = { small: 27_400, large: 2_740_000 }
const CALLS_QUICK = { small: 700, large: 7_000 }

export async function startReportsPlatform(options: PartOptions): Promise<ReportsPlatform> {
  const platform = await startPeerPlatform(options)
  const clients: Redis[] = []
  const start = async (name: string, calls: number): Promise<History> => {
    const database = await platform.createDatabase(name, calls)
    const redis = await platform.startRedis()
    const client = new Redis(redis.url)
    clients.push(client)
    const [api] = await platform.startApi(database, 1, { redis })
    const events = await countEvents(database)
    return { database, api: api!, events, forget: async () => void (await client.flushdb()) }
  }
  const stop = async () => {
    for (const client of clients) client.disconnect()
    await platform.stop()
  }
  try {
    const calls = options.quick ? CALLS_QUICK : CALLS
    const small = await start('small', calls.small)
    const before = performance.now()
    const large = await start('large', calls.large)
    return { platform, small, large, seedSeconds: (performance.now() - before) / 1000, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

const countEvents = (database: Database): Promise<number> =>
  withClient(database.owner, async (client) => {
    const { rows } = await client.query<{ events: number }>(
      'select count(*)::int as events from hopwhistle.call_events',
    )
    return rows[0]!.events
  })
