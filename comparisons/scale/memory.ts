/** Memory of an instance at the target load: events, reports and subscribers at once, for minutes. */
import { setTimeout as sleep } from 'node:timers/promises'
import { startGenerator } from '../generator/start-generator.ts'
import { type LivePlatform, startLive } from '../live/contenders.ts'
import type { PartOptions } from '../parts.ts'
import { HEADERS_OF_KEY } from '../platform/key.ts'
import type { ReaderConfig } from '../reader/reader-report.ts'
import { reportPaths } from '../reports/report-paths.ts'

export type MemoryMeasured = {
  readonly everySeconds: number
  /** Of each instance, in bytes. */
  readonly samples: readonly (readonly number[])[]
}

export const MEMORY = { instances: 3, eventsPerSecond: 500, reportsPerSecond: 100, subscribers: 200 } as const

const READERS = new URL('../reader/readers.ts', import.meta.url)
const CONNECTIONS = 60

/** @param minutes how long, from when the full load runs */
export async function measureMemory(
  live: LivePlatform,
  { quick, terminal, signal }: PartOptions,
  minutes: number,
): Promise<MemoryMeasured> {
  const everySeconds = quick ? 0.25 : 5
  const seconds = quick ? 3 : minutes * 60
  const servers = await startLive(live, 'ours', MEMORY.instances)
  const { ports } = servers
  const config: ReaderConfig = { system: 'ours', ports, sockets: MEMORY.subscribers, watched: 0, slow: 0 }
  const readers = await live.platform.startProgram('the subscribers', READERS, config)
  const start = (plan: Parameters<typeof startGenerator>[1]['plan']) =>
    startGenerator(live.platform, { ports, connections: CONNECTIONS, plan })
  const events = await start(servers.newPlan())
  const reports = await start({ kind: 'get', paths: reportPaths(), headers: HEADERS_OF_KEY })
  const load = Promise.all([
    events.run({ mode: 'open', seconds, ratePerSecond: MEMORY.eventsPerSecond }),
    reports.run({ mode: 'open', seconds, ratePerSecond: MEMORY.reportsPerSecond }),
  ])
  // Awaited below. If the measurement stops before that, its failure does not matter.
  load.catch(() => {})
  const samples: number[][] = servers.pids.map(() => [])
  await terminal.during(`scale, memory: ${seconds} s`, async () => {
    for (let at = 0; at < seconds; at += everySeconds) {
      signal.throwIfAborted()
      terminal.show(`  … scale, memory: ${Math.round(at)} of ${seconds} s`)
      await sleep(everySeconds * 1000)
      servers.memoryOfEach().forEach((bytes, i) => void samples[i]!.push(bytes))
    }
    await load
  })
  for (const child of [events, reports, readers]) await child.stop()
  await servers.stop()
  return { everySeconds, samples }
}
