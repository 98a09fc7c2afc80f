/** The cost of an instance: start time, image size, and CPU for each request. */
import type { MeasurePart, PartOptions } from '../parts.ts'
import { type Database, type PeerPlatform, startPeerPlatform } from '../platform/peer-platform.ts'
import { type CostMeasured, costFigures } from './cost-figures.ts'
import { measureEndpoints } from './endpoints.ts'
import { measureImage } from './image.ts'

const CALLS = { usual: 60_000, quick: 1_000 }

export const measureCost: MeasurePart = async (options) => {
  const builder = process.env.IMAGE_BUILDER || undefined
  const image = builder === undefined ? undefined : await measureImage(builder, options)
  const platform = await startPeerPlatform(options)
  try {
    const database = await platform.createDatabase('cost', CALLS[options.quick ? 'quick' : 'usual'])
    const startMs = await measureStarts(platform, database, options)
    const [api] = await platform.startApi(database, 1)
    const endpoints = await measureEndpoints(platform, database, api!, options)
    const measured: CostMeasured = { startMs, image, endpoints }
    return { ...costFigures(measured), raw: measured }
  } finally {
    await platform.stop()
  }
}

/** The first start is not counted: it reads the files into the disk cache. */
async function measureStarts(
  platform: PeerPlatform,
  database: Database,
  { rounds, terminal, signal }: PartOptions,
): Promise<readonly number[]> {
  const taken: number[] = []
  for (let round = 0; round <= rounds; round++) {
    signal.throwIfAborted()
    await terminal.during(`cost: start ${round} of ${rounds}`, async () => {
      const startedAt = performance.now()
      const api = await platform.startApi(database, 1)
      taken.push(performance.now() - startedAt)
      await platform.stopApi(api)
    })
  }
  return taken.slice(1)
}
