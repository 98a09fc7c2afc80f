import type { Cluster } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { openClient } from './support/client.ts'
import { OTHER_TENANT, startInstance, TENANT } from './support/instance.ts'
import { idsOf, ringing } from './support/messages.ts'
import { redisCluster } from './support/redis-cluster.ts'

test('in a Redis Cluster messages are delivered, resumed and kept apart as on one server', async () => {
  const { nodes } = await redisCluster()
  const start = async () => {
    const instance = await startInstance({ redisUrl: 'redis://ignored:1', redisClusterNodes: nodes })
    onTestFinished(() => instance.stop())
    return instance
  }
  const [one, two] = await Promise.all([start(), start()])
  const [mine, theirs] = [openClient(one.url), openClient(two.url, 'other-key')]
  await mine.subscribe()
  await theirs.subscribe()
  for (let i = 0; i < 20; i++) await two.live.publish(ringing(3))
  const others = ringing(5, OTHER_TENANT)
  await one.live.publish(others)
  await mine.received(60)
  await theirs.received(5)
  expect(theirs.ids()).toEqual(idsOf(others))
  mine.cut()
  await one.live.publish(ringing(7))
  const again = openClient(two.url)
  expect(await again.subscribe(['call.*'], mine.position())).toMatchObject({ recovered: true })
  await again.received(7)
  const offsets = [...mine.messages, ...again.messages].map((message) => message.offset)
  expect(offsets).toEqual(Array.from({ length: 67 }, (_, i) => i + 1))
  expect([...mine.broken(), ...again.broken(), ...theirs.broken()]).toEqual([])

  // Both instances lose every subscription, on whatever node: the log tells them what they missed.
  for (const node of (one.redis.commands as Cluster).nodes('master')) {
    await node.call('CLIENT', 'KILL', 'TYPE', 'PUBSUB')
  }
  await one.live.publish(ringing(3, TENANT))
  await again.received(10, 15_000)
  expect(again.broken()).toEqual([])
}, 60_000)
