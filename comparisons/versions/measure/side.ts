/** One version in one round: its database, its processes, and the load that it gets. */
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import type { PlatformCode } from '@hopwhistle/platform/checkout/platform-code.ts'
import { waitUntil } from '@hopwhistle/platform/lib/wait-until.ts'
import { readGroup } from '@hopwhistle/platform/machine/process-group.ts'
import { settlePostgres } from '@hopwhistle/platform/stack/settle-postgres.ts'
import { withClient } from '@hopwhistle/platform/stack/with-client.ts'
import type { CheckStored } from '../../base/open-commit.ts'
import { runName } from '../../generator/call-events.ts'
import { type Generator, startEventGenerator, startGenerator } from '../../generator/start-generator.ts'
import { HEADERS_OF_KEY, TENANT_ID } from '../../platform/key.ts'
import type { PeerPlatform } from '../../platform/peer-platform.ts'
import type { ReaderConfig, ReaderReport, ReaderRequest } from '../../reader/reader-report.ts'
import type { Component, Kind, LoadShape, Side, WindowSide } from '../measured.ts'

export type SideOptions = {
  readonly name: Side
  readonly half: PeerPlatform
  readonly code: PlatformCode
  readonly checkStored: CheckStored | undefined
  readonly load: LoadShape
  readonly reportPaths: readonly string[]
}

/** What the load tells of itself. */
export type Answered = Pick<WindowSide, 'done' | 'perSecond' | 'latency'>

export type ReadyLoad = { run(seconds: number): Promise<Answered>; end(): Promise<void> }

export type RunningSide = {
  readonly name: Side
  /** The main process of each component. */
  readonly pids: Readonly<Record<Component, number>>
  /** As the superuser. */
  readonly databaseUrl: string
  /** Connects whatever a window needs. @param times the usual rate */
  prepare(kind: Kind, times: number): Promise<ReadyLoad>
  /** Of the API. */
  memoryBytes(): number
  /** @returns how many events were found; undefined where this cannot be checked @throws {NotStored} */
  checkStored(): Promise<number | undefined>
  stop(): Promise<void>
}

const DATABASE = 'round'
const CONNECTIONS = { ingest: 60, reports: 20, live: 20 }
const READERS = new URL('../../reader/readers.ts', import.meta.url)
/** How many subscribers report the age of each message. */
const WATCHED = 20
/** How long what is behind may take to come after the last event was stored. */
const PATIENCE_MS = 20_000

export async function startSide({
  name,
  half,
  code,
  checkStored,
  load,
  reportPaths,
}: SideOptions): Promise<RunningSide> {
  const cleanUp: (() => Promise<unknown>)[] = []
  const stop = async () => {
    for (const step of cleanUp.splice(0).toReversed()) await step()
  }
  try {
    const database = await half.copyDatabase(DATABASE, name)
    cleanUp.push(() => half.dropDatabase(DATABASE))
    const redis = await half.startRedis()
    cleanUp.push(() => redis.stop())
    await settlePostgres({ primaryUrl: database.owner, replicaUrl: database.ownerReplica })
    const instances = await half.startApi(database, 1, { redis, code })
    cleanUp.push(() => half.stopApi(instances))
    const [api] = instances
    const ports = [api!.port]
    const started = <T extends Generator>(generator: T): T => {
      cleanUp.push(generator.stop)
      return generator
    }
    const headers = HEADERS_OF_KEY
    const events = started(await startEventGenerator(half, ports, CONNECTIONS.ingest))
    const reports = started(
      await startGenerator(half, {
        ports,
        connections: CONNECTIONS.reports,
        plan: { kind: 'get', paths: reportPaths, headers },
      }),
    )
    const live = started(
      await startGenerator(half, {
        ports,
        connections: CONNECTIONS.live,
        plan: {
          kind: 'events',
          path: ROUTES.callEvent,
          headers,
          run: runName(),
          runStartedAtMs: Date.now(),
          occurred: 'now',
        },
      }),
    )

    const requests =
      (generator: Generator, rate: number) =>
      async (times: number): Promise<ReadyLoad> => ({
        run: async (seconds) => {
          const ratePerSecond = times * rate
          const { answered, seconds: taken, latency } = await generator.run({ mode: 'open', seconds, ratePerSecond })
          return { done: answered, perSecond: answered / taken, latency }
        },
        end: async () => {},
      })
    const prepare: Readonly<Record<Kind, (times: number) => Promise<ReadyLoad>>> = {
      ingest: requests(events, load.eventsPerSecond),
      reports: requests(reports, load.reportsPerSecond),
      live: async (times) => {
        const sockets = load.subscribers
        const config: ReaderConfig = { system: 'ours', ports, sockets, watched: Math.min(WATCHED, sockets), slow: 0 }
        const readers = await half.startProgram(`the subscribers of ${name}`, READERS, config)
        const ask = (request: ReaderRequest) => readers.ask<ReaderReport>(request)
        return {
          run: async (seconds) => {
            const before = (await ask({})).received
            const ratePerSecond = times * load.messagesPerSecond
            const published = await live.run({ mode: 'open', seconds, ratePerSecond })
            const due = before + published.answered * sockets
            await waitUntil(`all deliveries of ${name}`, async () => (await ask({ keepAges: true })).received >= due, {
              timeoutMs: PATIENCE_MS,
              everyMs: 20,
            })
            const { received, age } = await ask({})
            const done = received - before
            return { done, perSecond: done / published.seconds, latency: age! }
          },
          end: readers.stop,
        }
      },
    }
    return {
      name,
      pids: {
        api: api!.process.pid,
        primary: half.pair.primary.process.pid,
        replica: half.pair.replica.process.pid,
        redis: redis.process.pid,
      },
      databaseUrl: database.owner,
      prepare: (kind, times) => prepare[kind](times),
      memoryBytes: () => readGroup(api!.process.pid)?.memoryBytes ?? 0,
      checkStored: async () => {
        if (checkStored === undefined) return undefined
        const found = await withClient(database.owner, (client) =>
          checkStored(client, TENANT_ID, events.acknowledged()),
        )
        return found.events
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
