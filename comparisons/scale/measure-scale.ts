/** The gain from more instances on this machine, their limits, and their memory. */
import type { MeasurePart } from '../parts.ts'
import { startPeerPlatform } from '../platform/peer-platform.ts'
import { measureMemory } from './memory.ts'
import { type ScaleMeasured, scaleFigures } from './scale-figures.ts'
import { measureSteps } from './steps.ts'

const CALLS = { usual: 60_000, quick: 1_000 }

export const measureScale: MeasurePart = async (options) => {
  const platform = await startPeerPlatform(options)
  try {
    const database = await platform.createDatabase('scale', CALLS[options.quick ? 'quick' : 'usual'])
    const live = { platform, database, centrifugo: undefined }
    const steps = await measureSteps(live, options)
    const memory = options.memoryMinutes === 0 ? undefined : await measureMemory(live, options, options.memoryMinutes)
    const measured: ScaleMeasured = { steps, memory }
    return { ...scaleFigures(measured), raw: measured }
  } finally {
    await platform.stop()
  }
}
