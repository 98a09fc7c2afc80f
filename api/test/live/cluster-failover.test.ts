import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { expect, onTestFinished, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import {
  anEvent,
  type Platform,
  post,
  type Running,
  runningPlatform,
  type Tenant,
} from '../platform/running-platform.ts'
import { openClient, type TestClient } from './support/client.ts'
import { type RedisCluster, redisCluster, type Shard } from './support/redis-cluster.ts'

const EVERY_MS = 10

/** How a primary stops being one; resolves when it is on its way. */
const WAYS = {
  'is killed': async ({ primary }) => primary.signal('SIGKILL'),
  'hangs and comes back as a replica': async ({ primary, replicas: [replica] }) => {
    primary.signal('SIGSTOP')
    await promoted(replica!)
    primary.signal('SIGCONT')
  },
  'hands over to its replica': async ({ replicas: [replica] }) => {
    await replica!.ask('CLUSTER', 'FAILOVER')
  },
} satisfies Record<string, (shard: Shard) => Promise<void>>

const promoted = (server: Shard['primary']) =>
  waitUntil('the replica to be promoted', async () => String(await server.ask('ROLE')).startsWith('master'), {
    timeoutMs: 20_000,
  })

test.each(Object.entries(WAYS))(
  'a primary of a Redis Cluster %s under load: every event is taken; its subscribers get each message once and in order or hear that some are lost; others notice nothing',
  async (_, fail) => {
    const cluster = await redisCluster({ replicasEach: 1 })
    const platform = await runningPlatform(2, { REDIS_CLUSTER_NODES: cluster.nodes, OUTBOX_SWEEP_AFTER_MS: '1000' })
    onTestFinished(() => platform.close())
    const hit = await platform.newTenant()
    const shard = await cluster.shardOf(channelOf(hit))
    const spared = await tenantElsewhere(platform, cluster, shard)
    const load = await startLoad(platform, [hit, spared])
    const listeners = { hit: subscribers(platform, hit), spared: subscribers(platform, spared) }
    const all = [...listeners.hit, ...listeners.spared]
    for (const each of all) await each.subscribe()
    for (const each of all) await each.received(50)

    await fail(shard)
    await promoted(shard.replicas[0]!)
    for (const each of listeners.hit) expect(await each.notice('reset', 20_000)).toMatchObject({ recovered: false })
    const afterwards = load.acknowledged(hit).length
    await waitUntil('100 events more', () => load.acknowledged(hit).length >= afterwards + 100, { timeoutMs: 20_000 })
    await load.stop()

    expect(load.refused).toEqual([])
    for (const each of listeners.hit) await each.hasAll(load.acknowledged(hit).slice(afterwards))
    for (const each of listeners.spared) {
      await each.hasAll(load.acknowledged(spared).slice(-100))
      expect(each.notices.filter(({ type }) => type === 'reset')).toEqual([])
      expect(new Set(each.ids()).size).toBe(each.ids().length)
    }
    expect(listeners.hit[0]!.position()).toEqual(listeners.hit[1]!.position())
    for (const each of all) {
      // That offsets follow each other, but for what a `reset` says: once, in order, nothing missed in silence.
      expect(each.broken()).toEqual([])
      expect(each.closed()).toBeUndefined()
    }
  },
  120_000,
)

const channelOf = ({ id }: Tenant) => `hw:{${id}}:live`

/** A tenant whose messages go through another primary. */
async function tenantElsewhere(platform: Platform, cluster: RedisCluster, { primary }: Shard): Promise<Tenant> {
  for (;;) {
    const tenant = await platform.newTenant()
    if ((await cluster.shardOf(channelOf(tenant))).primary !== primary) return tenant
  }
}

/** One at each instance. */
function subscribers(platform: Platform, { key }: Tenant) {
  return platform.instances.map(({ url }) => {
    const client = openClient(url.replace('http', 'ws') + ROUTES.live, key)
    onTestFinished(() => client.cut())
    return { ...client, hasAll: (ids: readonly string[]) => hasAll(client, ids) }
  })
}

function hasAll(client: TestClient, ids: readonly string[]): Promise<boolean> {
  return waitUntil(
    `${ids.length} events to be delivered`,
    () => {
      const delivered = new Set(client.ids())
      return ids.every((id) => delivered.has(id))
    },
    { timeoutMs: 20_000 },
  )
}

/** Sends events of each tenant to the instances in turn until it is stopped, and keeps the answers. */
async function startLoad(platform: Platform, tenants: readonly Tenant[]) {
  const acknowledged = new Map<string, string[]>(tenants.map(({ id }) => [id, []]))
  const refused: number[] = []
  const sending: Promise<void>[] = []
  let sent = 0
  const timer = setInterval(() => {
    for (const tenant of tenants) {
      const event = anEvent('RINGING')
      sent += 1
      const answered = post(platform.instances[sent % 2] as Running, event, tenant.key).then(({ status }) => {
        if (status === 201) acknowledged.get(tenant.id)!.push(event.eventId)
        else refused.push(status)
      })
      sending.push(answered)
    }
  }, EVERY_MS)
  onTestFinished(() => clearInterval(timer))
  return {
    refused,
    /** Event ids, in the order of their answers. */
    acknowledged: ({ id }: Tenant): readonly string[] => acknowledged.get(id)!,
    stop: async () => {
      clearInterval(timer)
      await Promise.all(sending)
    },
  }
}
