/** The CPU of an idle platform, compared with the base. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { PlatformCode } from '@hopwhistle/platform/checkout/platform-code.ts'
import { OUR_CODE } from '@hopwhistle/platform/checkout/platform-code.ts'
import { openBase } from '../base/open-base.ts'
import { type CpuUse, startCpuMeter } from '../measure/cpu-meter.ts'
import { type Contender, runRounds } from '../measure/run-rounds.ts'
import type { MeasurePart, PartOptions } from '../parts.ts'
import { type Database, type PeerPlatform, startPeerPlatform } from '../platform/peer-platform.ts'
import { type IdleMeasured, idleFigures } from './idle-figures.ts'

const CALLS = 1_000
/** Time for work at the start of an instance to end. */
const SETTLE_SECONDS = 10
const MEASURED_SECONDS = 30

export const measureIdle: MeasurePart = async (options) => {
  const base = await openBase(options)
  const platforms: PeerPlatform[] = []
  const start = async (name: string, code: PlatformCode): Promise<Contender<CpuUse>> => {
    const platform = await startPeerPlatform({ ...options, code })
    platforms.push(platform)
    const database = await platform.createDatabase('idle', CALLS)
    return { name, measure: () => measureInstance(platform, database, options) }
  }
  try {
    const contenders = [await start('ours', OUR_CODE), await start('base', base.code)]
    const measured = (await runRounds('idle', options, contenders)) as IdleMeasured
    return { ...idleFigures(measured), base: base.commit, raw: measured }
  } finally {
    await Promise.all(platforms.map((platform) => platform.stop()))
    await base.remove()
  }
}

/** Starts an instance, measures it and stops it, so that the other platform's instance does not run meanwhile. */
async function measureInstance(
  platform: PeerPlatform,
  database: Database,
  { quick, signal }: PartOptions,
): Promise<CpuUse> {
  const api = await platform.startApi(database, 1)
  await sleep(1000 * (quick ? 0.5 : SETTLE_SECONDS), undefined, { signal })
  const { primary, replica } = platform.pair
  const stop = startCpuMeter({
    api: api.map(({ process }) => process.pid),
    'postgres primary': [primary.process.pid],
    'postgres replica': [replica.process.pid],
    redis: [platform.redis.process.pid],
  })
  await sleep(1000 * (quick ? 1 : MEASURED_SECONDS), undefined, { signal })
  const used = stop()
  await platform.stopApi(api)
  return used
}
