/** Live delivery, compared with Socket.IO, plain WebSockets and, where available, Centrifugo. */
import { execFileSync } from 'node:child_process'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { isExecutable } from '@hopwhistle/platform/machine/run-program.ts'
import type { MeasurePart } from '../parts.ts'
import { startPeerPlatform } from '../platform/peer-platform.ts'
import type { LiveSystem } from '../reader/protocol.ts'
import { measureBesideSlow, measureDeliveries } from './deliveries.ts'
import { measureMemory } from './idle-memory.ts'
import { liveFigures } from './live-figures.ts'
import type { LiveMeasured } from './live-measured.ts'

export const measureLive: MeasurePart = async (options) => {
  const centrifugo = findCentrifugo()
  const platform = await startPeerPlatform(options)
  try {
    const live = { platform, database: await platform.createDatabase('live', 1), centrifugo }
    const systems = liveSystems(centrifugo)
    const measured: LiveMeasured = {
      centrifugo: centrifugo === undefined ? undefined : versionOf(centrifugo),
      deliveries: await measureDeliveries(live, systems, options),
      beside: await measureBesideSlow(live, options),
      // The tick does not affect an idle subscriber.
      memory: await measureMemory(
        live,
        systems.filter((system) => system !== 'oursLongTick'),
        options,
      ),
    }
    return { ...liveFigures(measured), raw: measured }
  } finally {
    await platform.stop()
  }
}

export const liveSystems = (centrifugo: string | undefined): readonly LiveSystem[] => [
  'ours',
  'oursLongTick',
  'plainWs',
  'socketIo',
  ...(centrifugo === undefined ? [] : (['centrifugo'] as const)),
]

/** @throws {Failure} when the given path is not a program */
function findCentrifugo(): string | undefined {
  const given = process.env.CENTRIFUGO || undefined
  if (given !== undefined && !isExecutable(given))
    throw new Failure(`CENTRIFUGO is ${given}, which is not an executable file`)
  return given
}

/** The first line of its version output, without the build details. */
function versionOf(centrifugo: string): string {
  const told = execFileSync(centrifugo, ['version'], { encoding: 'utf8' })
  const version = /v\d+\.\d+\.\d+/.exec(told)?.[0]
  // Only official builds know their version.
  return version === undefined || version === 'v0.0.0' ? 'Centrifugo as built from its source' : `Centrifugo ${version}`
}
