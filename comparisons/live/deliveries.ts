/** 100,000 deliveries a second by each system, and by the platform with subscribers that never read. */
import { runRounds } from '../measure/run-rounds.ts'
import type { PartOptions } from '../parts.ts'
import type { LiveSystem } from '../reader/protocol.ts'
import { type LivePlatform, type LiveServers, startLive } from './contenders.ts'
import { type DeliveryLoad, deliver } from './deliver.ts'
import { LIVE, type LiveMeasured } from './live-measured.ts'

const loadOf = ({ quick }: PartOptions): DeliveryLoad => ({
  ...LIVE.load,
  slow: 0,
  seconds: quick ? 1 : 8,
  warmUpSeconds: quick ? 0.5 : 3,
  ...(quick ? { subscribers: 20 } : {}),
})

export async function measureDeliveries(
  live: LivePlatform,
  systems: readonly LiveSystem[],
  options: PartOptions,
): Promise<LiveMeasured['deliveries']> {
  const started: [LiveSystem, LiveServers][] = []
  for (const system of systems) {
    const start = () => startLive(live, system, LIVE.instances)
    started.push([system, await options.terminal.during(`live: ${system} starts`, start)])
  }
  const contenders = started.map(([name, servers]) => ({
    name,
    measure: () => deliver(live, name, servers, loadOf(options)),
  }))
  const measured = await runRounds('live', options, contenders)
  for (const [, servers] of started) await servers.stop()
  return measured
}

export async function measureBesideSlow(live: LivePlatform, options: PartOptions): Promise<LiveMeasured['beside']> {
  const servers = await startLive(live, 'ours', LIVE.instances)
  const load = loadOf(options)
  // Long enough for unread messages to fill the kernel's buffers, and then the instance's own.
  const seconds = options.quick ? load.seconds : LIVE.besideSeconds
  const turn = (name: keyof LiveMeasured['beside'], slow: number) => ({
    name,
    measure: () => deliver(live, 'ours', servers, { ...load, seconds, slow }),
  })
  const contenders = [turn('nobodySlow', 0), turn('someSlow', options.quick ? 2 : LIVE.slow)]
  // V8 compiles hot code, so that the first turn is like the others.
  await deliver(live, 'ours', servers, load)
  const measured = await runRounds('live', options, contenders)
  await servers.stop()
  return measured as LiveMeasured['beside']
}
