import { Redis } from 'ioredis'
import pg from 'pg'
import { Failure } from '../../platform/command-line/failure.ts'
import { readGroup } from '../../platform/machine/process-group.ts'
import { MIB } from '../../platform/settings/arithmetic.ts'
import { apiUse } from '../rig/api-use.ts'
import type { Rig } from '../rig/rig.ts'
import { openLiveHeap } from './live-heap.ts'

/**
 * What must not grow while the platform runs for a long time. `matters` is the smallest rise that counts as a leak.
 *
 * Redis holds 0 to a few hundred cached reports. A leak with each event or report would be thousands of keys.
 */
export const RESOURCES = {
  memory: { title: 'Memory of two API instances', unit: 'MiB', matters: 20 },
  liveHeap: { title: 'Memory of the third after a full garbage collection', unit: 'MiB', matters: 3 },
  handles: { title: 'Open files and sockets of the API, without those of clients', unit: '', matters: 5 },
  connections: { title: 'Postgres connections', unit: '', matters: 2 },
  wal: { title: 'WAL kept for the replica', unit: 'MiB', matters: 16 },
  redisKeys: { title: 'Redis keys', unit: '', matters: 100 },
} as const
export type Resource = keyof typeof RESOURCES

export type Sample = { readonly seconds: number } & { readonly [R in Resource]: number }

const EVERY_MS = 2_000
/** Not more often, because a collection takes CPU time from the load. */
const COLLECT_EVERY_MS = 20_000
const SERVERS = `
  select (select count(*) from pg_stat_activity where backend_type = 'client backend')::int as connections,
    (select coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)), 0) from pg_replication_slots)::float8 as kept`

/**
 * Samples every two seconds, until it is stopped.
 *
 * @param inspectPort of the API instances
 */
export async function watchResources(
  { dir, urls, api: [collected] }: Rig,
  inspectPort: number,
): Promise<{ stop(): Promise<readonly Sample[]> }> {
  if (collected === undefined) throw new Failure('there is no API instance among what was started')
  const collectedPid = collected.process.pid
  const heap = await openLiveHeap(collectedPid, inspectPort)
  const postgres = new pg.Client({ connectionString: urls.owner })
  const redis = new Redis(urls.redis)
  const samples: Sample[] = []
  const began = performance.now()
  let [liveHeap, collectedAt] = [0, Number.NEGATIVE_INFINITY]
  await postgres.connect()

  async function look(): Promise<void> {
    if (performance.now() - collectedAt >= COLLECT_EVERY_MS) {
      collectedAt = performance.now()
      liveHeap = await heap.collect()
    }
    const [{ rows }, redisKeys] = await Promise.all([
      postgres.query<{ connections: number; kept: number }>(SERVERS),
      redis.dbsize(),
    ])
    const { memoryMib, openFiles } = apiUse(dir)
    const collectedMib = (readGroup(collectedPid)?.memoryBytes ?? 0) / MIB
    const tenth = (value: number) => Math.round(value * 10) / 10
    samples.push({
      seconds: tenth((performance.now() - began) / 1000),
      memory: tenth(memoryMib - collectedMib),
      liveHeap: tenth(liveHeap / MIB),
      handles: openFiles - (readGroup(process.pid, { withDescendants: false })?.openFiles ?? 0),
      connections: rows[0]?.connections ?? 0,
      wal: tenth((rows[0]?.kept ?? 0) / MIB),
      redisKeys,
    })
  }
  let looking = Promise.resolve()
  const timer = setInterval(() => {
    looking = looking.then(look)
  }, EVERY_MS)

  return {
    stop: async () => {
      clearInterval(timer)
      await looking.finally(async () => {
        heap.close()
        redis.disconnect()
        await postgres.end()
      })
      return samples
    },
  }
}
