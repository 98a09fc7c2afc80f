import fc from 'fast-check'
import { expect, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { forgetTenantInRedis } from '../../src/redis/forget-tenant.ts'
import type { TestClient } from './support/client.ts'
import { OTHER_TENANT, TENANT } from './support/instance.ts'
import { batchOf, ringing } from './support/messages.ts'
import { platform } from './support/platform.ts'

const offsetsOf = (...clients: readonly TestClient[]) =>
  clients.flatMap((client) => client.messages.map((message) => message.offset))
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

test('a client that comes back, to any instance, gets exactly what it missed', async () => {
  const { one, two, client } = await platform()
  const before = client(one)
  await before.subscribe()
  await one.live.publish(ringing(5))
  await before.received(5)
  before.cut()
  for (let i = 0; i < 10; i++) await one.live.publish(ringing(3))
  const after = client(two)
  expect(await after.subscribe(['call.*'], before.position())).toMatchObject({ offset: 5, recovered: true })
  await after.received(30)
  await one.live.publish(ringing(2))
  await after.received(32)
  expect(offsetsOf(before, after)).toEqual(range(1, 37))
  expect(after.broken()).toEqual([])
  expect(await two.metric('liveRecoveries', { result: 'recovered' })).toBe(1)
})

test('what a client missed is filtered by its patterns', async () => {
  const { one, client } = await platform()
  const before = client()
  const { epoch } = await before.subscribe()
  for (let i = 0; i < 50; i++) await one.live.publish(batchOf(['call.initiated', 'call.busy']))
  const after = client()
  await after.subscribe(['call.busy'], { epoch, offset: 0 })
  await after.settledTo(100)
  expect(after.messages.map((message) => message.offset)).toEqual(range(1, 50).map((i) => 2 * i))
  expect(after.broken()).toEqual([])
})

test('long absences are read page by page, also while more comes in', async () => {
  const { one, two, client } = await platform()
  const first = client(one)
  const { epoch } = await first.subscribe()
  const publish = async (batches: number) => {
    for (let i = 0; i < batches; i++) await one.live.publish(ringing(100))
  }
  await publish(120)
  first.cut()
  // One whose hub remembers, and one whose hub has to ask Redis.
  const [near, far] = [client(one), client(two)]
  const going = publish(60)
  await Promise.all([near, far].map((each) => each.subscribe(['call.*'], { epoch, offset: 1 })))
  await going
  for (const each of [near, far]) {
    await each.settledTo(18_000, 20_000)
    expect(offsetsOf(each)).toEqual(range(2, 18_000))
    expect(each.broken()).toEqual([])
  }
})

test('what is no longer kept is never passed over in silence', async () => {
  const { one, two, client } = await platform({ settings: { liveHistoryMessages: 500 } })
  const before = client(one)
  const { epoch } = await before.subscribe()
  for (let i = 0; i < 100; i++) await one.live.publish(ringing(100))
  await before.received(10_000)
  const after = client(two)
  expect(await after.subscribe(['call.*'], { epoch, offset: 10 })).toMatchObject({ offset: 10_000, recovered: false })
  await one.live.publish(ringing())
  await after.received(1)
  expect(offsetsOf(after)).toEqual([10_001])
  expect(await two.metric('liveRecoveries', { result: 'lost' })).toBe(1)
})

test('history is kept for its time only', async () => {
  const { one, two, client } = await platform({ settings: { liveHistorySeconds: 1 } })
  const first = client(one)
  const { epoch } = await first.subscribe()
  await one.live.publish(ringing(10))
  await first.received(10)
  // The clock of what is tested: there is nothing to wait for but time.
  await new Promise((resolve) => setTimeout(resolve, 1_200))
  const second = client(two)
  expect(await second.subscribe(['call.*'], { epoch, offset: 4 })).toMatchObject({ offset: 10, recovered: false })
  const third = client(two)
  expect(await third.subscribe(['call.*'], { epoch, offset: 10 })).toMatchObject({ offset: 10, recovered: true })
})

test('positions that were never given out are not recovered', async () => {
  const { one, client } = await platform()
  await one.live.publish(ringing(3))
  const { epoch } = await client().subscribe()
  const guesses = [
    { epoch, offset: 4 },
    { epoch, offset: Number.MAX_SAFE_INTEGER },
    { epoch: 'another', offset: 1 },
    { epoch: '', offset: 0 },
  ]
  for (const guess of guesses) {
    expect(await client().subscribe(['call.*'], guess)).toMatchObject({ epoch, offset: 3, recovered: false })
  }
})

test('the position of another tenant gives nothing of it', async () => {
  const { one, client } = await platform()
  const theirs = client(one, 'other-key')
  await theirs.subscribe()
  await one.live.publish(ringing(3))
  await one.live.publish(ringing(5, OTHER_TENANT))
  await theirs.received(5)
  const mine = client(one)
  const answer = await mine.subscribe(['call.*'], { ...theirs.position(), offset: 1 })
  expect(answer).toMatchObject({ offset: 3, recovered: false })
  expect(answer.epoch).not.toBe(theirs.position().epoch)
  expect(mine.messages).toEqual([])
})

test('recovering is only for a socket that is subscribed to nothing', async () => {
  const { client } = await platform()
  const subscriber = client()
  const { epoch, offset } = await subscriber.subscribe()
  subscriber.send({ type: 'subscribe', patterns: ['call.busy'], recover: { epoch, offset } })
  expect((await subscriber.notice('error')).message).toContain('subscribed to nothing')
  expect(await subscriber.closedWith()).toMatchObject({ code: 4400 })
})

test('with random drops, reconnects and publishers, no subscriber has a gap or a repeat', async () => {
  const { one, two, client } = await platform({ settings: { liveTickMs: 5 } })
  const instances = [one, two]
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('publish' as const),
        on: fc.nat(1),
        count: fc.integer({ min: 1, max: 40 }),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('drop' as const), who: fc.nat(3), to: fc.nat(1) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(12) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('deafen' as const), on: fc.nat(1) }) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
      const lives = await Promise.all(
        [0, 1, 2, 3].map(async (i) => {
          const socket = client(instances[i % 2])
          const { offset } = await socket.subscribe()
          return { first: offset, sockets: [socket] }
        }),
      )
      const publishing: Promise<void>[] = []
      for (const each of steps) {
        if (each.do === 'publish') publishing.push(instances[each.on]!.live.publish(ringing(each.count)))
        else if (each.do === 'wait') await new Promise((resolve) => setTimeout(resolve, each.ms))
        else if (each.do === 'deafen') instances[each.on]!.redis.subscriber.renew()
        else {
          const { sockets } = lives[each.who]!
          const last = sockets.at(-1)!
          last.cut()
          const next = client(instances[each.to])
          sockets.push(next)
          expect(await next.subscribe(['call.*'], last.position())).toMatchObject({ recovered: true })
        }
      }
      await Promise.all(publishing)
      const end = Number(await one.redis.commands.hget(`hw:{${TENANT}}:live:head`, 'offset'))
      for (const { first, sockets } of lives) {
        await sockets.at(-1)!.settledTo(end)
        expect(offsetsOf(...sockets)).toEqual(range(first + 1, end))
        for (const socket of sockets) {
          expect(socket.broken()).toEqual([])
          socket.cut()
        }
      }
    }),
    { numRuns: 25, endOnFailure: true },
  )
}, 60_000)

test('clients that resume do not get what was erased: they learn that messages may be lost', async () => {
  const { one, client } = await platform()
  // It stays, and so does the hub with what it has in memory.
  const before = client(one)
  const { epoch } = await before.subscribe()
  await one.live.publish(ringing(5))
  await before.received(5)
  await forgetTenantInRedis(one.redis.commands, TENANT, 'content')
  await waitUntil(
    'the instance to forget',
    async () => {
      const after = client(one)
      const { recovered } = await after.subscribe(['call.*'], { epoch, offset: 0 })
      after.cut()
      return recovered === false
    },
    { timeoutMs: 20_000 },
  )
  const last = client(one)
  await last.subscribe(['call.*'], { epoch, offset: 0 })
  await one.live.publish(ringing(1))
  await last.received(1)
  expect(last.messages).toHaveLength(1)
  expect(last.broken()).toEqual([])
})
