/** A turn of live delivery: subscribers, messages at a steady rate, and the result. */
import { waitUntil } from '@hopwhistle/platform/lib/wait-until.ts'
import type { LoadResult } from '../generator/load.ts'
import { startGenerator } from '../generator/start-generator.ts'
import { type CpuUse, startCpuMeter } from '../measure/cpu-meter.ts'
import type { LiveSystem } from '../reader/protocol.ts'
import type { ReaderConfig, ReaderReport } from '../reader/reader-report.ts'
import type { LivePlatform, LiveServers } from './contenders.ts'

export type Delivery = {
  readonly subscribers: number
  readonly published: LoadResult
  /** Deliveries a second while messages were published. */
  readonly perSecond: number
  /** Deliveries and CPU from the first message to the last delivery. */
  readonly delivered: number
  readonly due: number
  readonly report: ReaderReport
  readonly cpu: CpuUse
  readonly readerCpuSeconds: number
}

export type DeliveryLoad = {
  readonly subscribers: number
  readonly slow: number
  readonly messagesPerSecond: number
  readonly seconds: number
  readonly warmUpSeconds: number
}

const READERS = new URL('../reader/readers.ts', import.meta.url)
/** How many subscribers report the age of each message. */
const WATCHED = 20
const PUBLISHING_CONNECTIONS = 20
/** How long late deliveries may take after the last message. */
const PATIENCE_MS = 5_000

export async function deliver(
  { platform }: LivePlatform,
  system: LiveSystem,
  servers: LiveServers,
  { subscribers, slow, messagesPerSecond, seconds, warmUpSeconds }: DeliveryLoad,
): Promise<Delivery> {
  const { ports } = servers
  const config: ReaderConfig = { system, ports, sockets: subscribers, watched: Math.min(WATCHED, subscribers), slow }
  const readers = await platform.startProgram(`the subscribers of ${system}`, READERS, config)
  const generator = await startGenerator(platform, {
    ports,
    connections: PUBLISHING_CONNECTIONS,
    plan: servers.newPlan(),
  })
  try {
    const ask = () => readers.ask<ReaderReport>({})
    const load = { mode: 'open', ratePerSecond: messagesPerSecond } as const
    const warm = await generator.run({ ...load, seconds: warmUpSeconds })
    await settle(ask, warm.answered * subscribers)
    const before = await ask()
    const stop = startCpuMeter({
      servers: servers.pids,
      redis: [platform.redis.process.pid],
      'postgres primary': [platform.pair.primary.process.pid],
      'postgres replica': [platform.pair.replica.process.pid],
      readers: [readers.pid],
      publisher: [generator.pid],
    })
    const published = await generator.run({ ...load, seconds })
    const atEnd = await ask()
    const due = (warm.answered + published.answered) * subscribers
    await settle(ask, due)
    const cpu = stop()
    const after = await ask()
    return {
      subscribers,
      published,
      perSecond: (atEnd.received - before.received) / published.seconds,
      delivered: after.received - before.received,
      due: published.answered * subscribers,
      report: { ...after, age: atEnd.age },
      cpu,
      readerCpuSeconds: cpu.cpuSeconds.readers ?? 0,
    }
  } finally {
    await generator.stop()
    await readers.stop()
  }
}

/** Waits until all deliveries have arrived, or no more arrive. */
async function settle(ask: () => Promise<ReaderReport>, due: number): Promise<void> {
  const all = async () => (await ask()).received >= due
  await waitUntil('every message', all, { timeoutMs: PATIENCE_MS, everyMs: 20 }).catch(() => {})
}
