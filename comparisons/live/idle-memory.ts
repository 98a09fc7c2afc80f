/** Memory of idle subscribers: a thousand on a fresh instance. */
import { setTimeout as sleep } from 'node:timers/promises'
import { runRounds } from '../measure/run-rounds.ts'
import type { PartOptions } from '../parts.ts'
import type { LiveSystem } from '../reader/protocol.ts'
import type { ReaderConfig } from '../reader/reader-report.ts'
import { type LivePlatform, startLive } from './contenders.ts'
import { type IdleMemory, LIVE, type LiveMeasured } from './live-measured.ts'

const READERS = new URL('../reader/readers.ts', import.meta.url)
/** Time to release memory that is only needed at the start. */
const SETTLE_MS = 3_000

async function measureIdleMemory(live: LivePlatform, system: LiveSystem, sockets: number): Promise<IdleMemory> {
  const servers = await startLive(live, system, 1)
  await sleep(SETTLE_MS)
  const beforeBytes = servers.memoryBytes()
  const config: ReaderConfig = { system, ports: servers.ports, sockets, watched: 0, slow: 0 }
  const readers = await live.platform.startProgram(`the subscribers of ${system}`, READERS, config)
  await sleep(SETTLE_MS)
  const bytesPerThousand = ((servers.memoryBytes() - beforeBytes) / sockets) * 1000
  await readers.stop()
  await servers.stop()
  return { beforeBytes, bytesPerThousand }
}

export async function measureMemory(
  live: LivePlatform,
  systems: readonly LiveSystem[],
  options: PartOptions,
): Promise<LiveMeasured['memory']> {
  const sockets = options.quick ? 100 : LIVE.idleSockets
  const contenders = systems.map((name) => ({ name, measure: () => measureIdleMemory(live, name, sockets) }))
  return runRounds('live, idle subscribers', options, contenders)
}
