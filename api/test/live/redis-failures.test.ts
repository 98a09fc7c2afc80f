import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import type { RedisConnections } from '../../src/redis/open-redis.ts'
import { script } from '../../src/redis/script.ts'
import { TENANT } from './support/instance.ts'
import { idsOf, ringing } from './support/messages.ts'
import { platform } from './support/platform.ts'

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const soon = { timeoutMs: 10_000, everyMs: 5 }

/** What Node warns of from here on, such as listeners that are never taken off. */
function warnings(): readonly Error[] {
  const heard: Error[] = []
  const hear = (warning: Error) => void heard.push(warning)
  process.on('warning', hear)
  onTestFinished(() => void process.off('warning', hear))
  return heard
}

test('Redis restarted empty: sockets stay, hear that messages may be lost, and get what follows', async () => {
  const { redis, one, two, client } = await platform()
  const clients = [client(one), client(two)]
  for (const each of clients) await each.subscribe()
  await one.live.publish(ringing(5))
  for (const each of clients) await each.received(5)
  await redis.stop()
  await expect(one.live.publish(ringing())).rejects.toThrow()
  expect(await one.metric('livePublishFailed')).toBe(1)
  await redis.start()
  await waitUntil('Redis to be up', () => one.redis.isUp() && two.redis.isUp(), soon)
  const later = ringing(3)
  await two.live.publish(later)
  for (const each of clients) {
    expect(await each.notice('reset')).toMatchObject({ recovered: false })
    await each.received(8)
    expect(each.ids().slice(5)).toEqual(idsOf(later))
    expect(each.broken()).toEqual([])
    expect(each.closed()).toBeUndefined()
  }
  expect(clients[0]!.position()).toEqual(clients[1]!.position())
})

test('Redis restarted empty: a client that resumes with an old position gets recovered: false', async () => {
  const { redis, one, two, client } = await platform()
  const before = client(one)
  await before.subscribe()
  await one.live.publish(ringing(5))
  await before.received(5)
  await redis.stop()
  await redis.start()
  await waitUntil('Redis to be up', () => one.redis.isUp() && two.redis.isUp(), soon)
  // Enough of them that the old offset exists in the new epoch as well.
  await two.live.publish(ringing(20))
  for (const instance of [one, two]) {
    const after = client(instance)
    const { epoch } = before.notices[0]!
    const answer = await after.subscribe(['call.*'], { epoch, offset: 5 })
    // An instance that has not noticed yet says so a moment later.
    const said = answer.recovered ? await after.notice('reset') : answer
    expect(said).toMatchObject({ recovered: false })
    expect(said.epoch).not.toBe(epoch)
  }
})

test('Redis does not answer for a while: nothing is lost, and nobody is closed', async () => {
  const { redis, one, two, client } = await platform()
  const subscriber = client(one)
  await subscriber.subscribe()
  await two.live.publish(ringing(5))
  await subscriber.received(5)
  process.kill(redis.pid, 'SIGSTOP')
  const stuck = ringing(5)
  await expect(two.live.publish(stuck)).rejects.toThrow()
  await waitUntil('the instances to notice', () => !one.redis.isUp() && !two.redis.isUp(), soon)
  process.kill(redis.pid, 'SIGCONT')
  await waitUntil('Redis to be up', () => one.redis.isUp() && two.redis.isUp(), soon)
  // As the outbox does. Redis has had the batch all along, and does not take it twice.
  await two.live.publish(stuck)
  await two.live.publish(ringing(5))
  await subscriber.received(15)
  expect(subscriber.messages.map((message) => message.offset)).toEqual(range(1, 15))
  expect(subscriber.broken()).toEqual([])
  expect(subscriber.closed()).toBeUndefined()
}, 30_000)

test('a lost subscription is made again, and what was published meanwhile is filled in', async () => {
  const { one, two, client } = await platform()
  const subscriber = client(one)
  await subscriber.subscribe()
  for (let round = 0; round < 5; round++) {
    await two.redis.commands.call('CLIENT', 'KILL', 'TYPE', 'PUBSUB')
    for (let i = 0; i < 10; i++) await two.live.publish(ringing(2))
    await subscriber.received(20 * (round + 1))
  }
  expect(subscriber.messages.map((message) => message.offset)).toEqual(range(1, 100))
  expect(subscriber.broken()).toEqual([])
  expect(await one.metric('liveGaps', { result: 'filled' })).toBeGreaterThan(0)
  expect(await one.metric('liveGaps', { result: 'reset' })).toBe(0)
})

test('a gap longer than the history is said, and what is left of it is delivered', async () => {
  const { one, two, client } = await platform({ settings: { liveHistoryMessages: 300, liveTickMs: 0 } })
  const warned = warnings()
  const subscriber = client(one)
  await subscriber.subscribe()
  await two.live.publish(ringing())
  await subscriber.received(1)
  // The subscription is lost again before it can be made, until more was published than is kept, without a pause.
  for (let i = 0; i < 30; i++) {
    one.redis.subscriber.renew()
    await two.live.publish(ringing(100))
  }
  await subscriber.settledTo(3_001)
  const reset = await subscriber.notice('reset')
  expect(reset.offset).toBeGreaterThan(1)
  expect(subscriber.messages.at(-1)!.offset).toBe(3_001)
  expect(subscriber.broken()).toEqual([])
  await two.live.publish(ringing())
  await subscriber.settledTo(3_002)
  expect(warned).toEqual([])
})

test('a demoted primary refuses many commands together: one new connection is made, and works once it is promoted', async () => {
  const { redis, one } = await platform()
  const warned = warnings()
  const admin = new Redis(redis.url)
  onTestFinished(() => admin.disconnect())
  const connection = () => one.redis.commands.call('CLIENT', 'ID')
  const before = await connection()
  await admin.call('REPLICAOF', '127.0.0.1', '1')
  const write = (i: number) => one.redis.commands.set(`key ${i}`, 'value')
  for (const result of await Promise.allSettled(range(1, 50).map(write)))
    expect(result).toMatchObject({ status: 'rejected', reason: { message: expect.stringMatching(/^READONLY/) } })
  await waitUntil('another connection', async () => (await connection()) !== before, soon)
  await admin.call('REPLICAOF', 'NO', 'ONE')
  await waitUntil('a write to be taken', async () => (await write(1)) === 'OK', soon)
  expect(warned).toEqual([])
})

/** Messages that are numbered and kept, but reach no instance: as when Redis drops what a subscriber did not read. */
async function publishIntoTheVoid(redis: RedisConnections, eventId: string): Promise<void> {
  const key = (name: string) => `hw:{${TENANT}}:live:${name}`
  const append = script('head', 'append-messages')
  await append(
    redis.commands,
    [key('head'), key('history'), key('marks'), key('appended')],
    [
      'epoch',
      'nowhere',
      'PUBLISH',
      1_000,
      60_000,
      60_000,
      eventId,
      1,
      `call.busy 1 1 "eventId":"${eventId}","occurredAt":1}`,
    ],
  )
}

test('the last message before a silence is noticed when it is lost', async () => {
  const { one, client } = await platform()
  const subscriber = client(one)
  await subscriber.subscribe()
  await one.live.publish(ringing())
  await subscriber.received(1)
  for (const eventId of ['first', 'second']) {
    await publishIntoTheVoid(one.redis, eventId)
    await subscriber.received(eventId === 'first' ? 2 : 3)
    expect(subscriber.ids().at(-1)).toBe(eventId)
  }
  expect(subscriber.broken()).toEqual([])
  expect(await one.metric('liveGaps', { result: 'filled' })).toBe(2)
})

test('a message that was lost is filled in as soon as the next one shows it', async () => {
  const { one, client } = await platform()
  const subscriber = client(one)
  await subscriber.subscribe()
  await publishIntoTheVoid(one.redis, 'lost')
  await one.live.publish(ringing())
  await subscriber.received(2, 1_000)
  expect(subscriber.messages.map((message) => message.offset)).toEqual([1, 2])
  expect(subscriber.ids()[0]).toBe('lost')
})

test('a promoted replica or an old snapshot starts a new epoch, for offsets may be given out twice', async () => {
  const { one, two, client } = await platform()
  const subscriber = client(one)
  await subscriber.subscribe()
  await one.live.publish(ringing(5))
  await subscriber.received(5)
  // What such a server finds in its data: a head that another server wrote, some messages ago.
  await one.redis.commands.hset(`hw:{${TENANT}}:live:head`, { source: 'f'.repeat(40), offset: 3 })
  await two.live.publish(ringing(4))
  expect(await subscriber.notice('reset')).toMatchObject({ offset: 0, recovered: false })
  await subscriber.received(9)
  expect(subscriber.messages.slice(5).map((message) => message.offset)).toEqual([1, 2, 3, 4])
  expect(subscriber.broken()).toEqual([])
  expect(await one.metric('liveGaps', { result: 'reset' })).toBe(1)
})

test('a head that vanishes while nothing is published is noticed as well', async () => {
  const { one, client } = await platform()
  const subscriber = client(one)
  const { epoch } = await subscriber.subscribe()
  await one.redis.commands.del(`hw:{${TENANT}}:live:head`)
  const reset = await subscriber.notice('reset')
  expect(reset).toMatchObject({ offset: 0 })
  expect(reset.epoch).not.toBe(epoch)
})

test('without Redis an upgrade is refused with 503, and works again when Redis is back', async () => {
  const { redis, one, client } = await platform()
  await redis.stop()
  await waitUntil('the loss of Redis to be noticed', () => !one.redis.isUp(), soon)
  await expect(client(one).opened()).rejects.toThrow('503')
  await redis.start()
  await waitUntil('Redis to be up', () => one.redis.isUp(), soon)
  expect(await client(one).subscribe()).toMatchObject({ offset: 0, recovered: true })
})
