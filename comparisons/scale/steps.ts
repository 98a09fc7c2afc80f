/** Ingest, reports and live delivery with one, two and three instances. */

import { settlePostgres } from '@hopwhistle/platform/stack/settle-postgres.ts'
import { Redis } from 'ioredis'
import { startEventGenerator, startGenerator } from '../generator/start-generator.ts'
import { type LivePlatform, startLive } from '../live/contenders.ts'
import { deliver } from '../live/deliver.ts'
import type { CpuUse } from '../measure/cpu-meter.ts'
import { measureLoad } from '../measure/loaded.ts'
import { runRounds } from '../measure/run-rounds.ts'
import type { PartOptions } from '../parts.ts'
import { HEADERS_OF_KEY } from '../platform/key.ts'
import { reportPaths } from '../reports/report-paths.ts'
import { limitedBy } from './limited-by.ts'
import { withWaits } from './waits.ts'

export const SCALED = ['ingest', 'reports', 'live'] as const
export type Scaled = (typeof SCALED)[number]

export type Step = {
  readonly perSecond: number
  readonly p99Ms: number
  readonly cpu: CpuUse
  readonly limitedBy: string
}

/** By load, then by number of instances from 1, then one step per round. */
export type StepsMeasured = Readonly<Record<Scaled, readonly (readonly Step[])[]>>

export const INSTANCES = [1, 2, 3] as const
export const SCALE = {
  ingest: { connections: 200 },
  reports: { connections: 60 },
  /** Twice the planned subscribers, so that one instance has too many. */
  live: { subscribers: 400, messagesPerSecond: 500 },
} as const

export async function measureSteps(live: LivePlatform, options: PartOptions): Promise<StepsMeasured> {
  const contenders = SCALED.flatMap((scaled) =>
    INSTANCES.map((instances) => ({
      name: `${scaled} ${instances}`,
      measure: () => measureStep(live, scaled, instances, options),
    })),
  )
  const measured = await runRounds('scale', options, contenders)
  const of = (scaled: Scaled) => INSTANCES.map((instances) => measured[`${scaled} ${instances}`]!)
  return { ingest: of('ingest'), reports: of('reports'), live: of('live') }
}

async function measureStep(live: LivePlatform, scaled: Scaled, instances: number, options: PartOptions): Promise<Step> {
  const { platform, database } = live
  await forgetReports(platform.redis.url)
  const servers = await startLive(live, 'ours', instances)
  await settlePostgres({ primaryUrl: database.owner, replicaUrl: database.ownerReplica })
  const seconds = options.quick ? 0.5 : 5
  const warmUpSeconds = options.quick ? 0.3 : 2.5
  try {
    if (scaled === 'live') {
      const load = { ...SCALE.live, ...(options.quick ? { subscribers: 20 } : {}), slow: 0, seconds, warmUpSeconds }
      const [delivery, waits] = await withWaits(database.owner, () => deliver(live, 'ours', servers, load))
      const { perSecond, cpu, report } = delivery
      const all = perSecond >= 0.98 * load.subscribers * load.messagesPerSecond ? 'all' : 'as much as it can'
      return {
        perSecond,
        p99Ms: report.age?.p99Ms ?? Number.NaN,
        cpu,
        limitedBy: limitedBy(cpu, instances, waits, all),
      }
    }
    const { connections } = SCALE[scaled]
    const plan = { kind: 'get', paths: reportPaths(), headers: HEADERS_OF_KEY } as const
    const generator =
      scaled === 'ingest'
        ? await startEventGenerator(platform, servers.ports, connections)
        : await startGenerator(platform, { ports: servers.ports, connections, plan })
    const { primary, replica } = platform.pair
    const groups = {
      servers: servers.pids,
      'postgres primary': [primary.process.pid],
      'postgres replica': [replica.process.pid],
      redis: [platform.redis.process.pid],
    }
    const [{ load, cpu }, waits] = await withWaits(database.owner, () =>
      measureLoad(generator, groups, { mode: 'closed', seconds }, warmUpSeconds),
    )
    await generator.stop()
    return {
      perSecond: load.perSecond,
      p99Ms: load.latency.p99Ms,
      cpu,
      limitedBy: limitedBy(cpu, instances, waits, 'as much as it can'),
    }
  } finally {
    await servers.stop()
  }
}

/** Removes the reports of the step before, which Redis would answer. */
async function forgetReports(redisUrl: string): Promise<void> {
  const redis = new Redis(redisUrl)
  try {
    await redis.flushdb()
  } finally {
    redis.disconnect()
  }
}
