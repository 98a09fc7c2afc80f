import { LIVE_TYPES } from '@hopwhistle/contract/live.ts'
import { expect, test } from 'vitest'
import { OTHER_TENANT } from './support/instance.ts'
import { batchOf, idsOf, ringing } from './support/messages.ts'
import { platform } from './support/platform.ts'

test('what any instance publishes reaches the subscribers of every instance, once and in order', async () => {
  const { one, two, client } = await platform()
  const clients = [client(one), client(one), client(two)]
  for (const each of clients) expect(await each.subscribe()).toMatchObject({ offset: 0, recovered: true })
  for (let i = 0; i < 50; i++) await (i % 2 === 0 ? one : two).live.publish(ringing(1 + (i % 7)))
  for (const each of clients) {
    await each.received(197)
    expect(each.messages.map((message) => message.offset)).toEqual(Array.from({ length: 197 }, (_, i) => i + 1))
    expect(each.ids()).toEqual(clients[0]!.ids())
    expect(each.broken()).toEqual([])
  }
})

test('batches published without waiting arrive in the order in which they were given', async () => {
  const { one, client } = await platform()
  const subscriber = client()
  await subscriber.subscribe()
  const batches = Array.from({ length: 200 }, (_, i) => ringing(1 + (i % 3)))
  await Promise.all(batches.map((batch) => one.live.publish(batch)))
  await subscriber.settledTo(399)
  expect(subscriber.ids()).toEqual(batches.flatMap(idsOf))
})

test('a message has the fields of the contract, in its order', async () => {
  const { one, client } = await platform()
  const subscriber = client()
  await subscriber.subscribe()
  const batch = ringing()
  const full = {
    ...batch.messages[0]!,
    corrects: true as const,
    direction: 'inbound',
    from: '+1555',
    to: 'é "quoted"\nsip:x',
  }
  await one.live.publish({ ...batch, messages: [full] })
  await subscriber.received(1)
  expect(subscriber.messages[0]).toEqual({ offset: 1, ...full })
  expect(Object.keys(subscriber.messages[0]!)).toEqual([
    'offset',
    'type',
    'eventId',
    'callId',
    'sequence',
    'occurredAt',
    'receivedAt',
    'outcome',
    'corrects',
    'direction',
    'from',
    'to',
  ])
})

test('a subscriber gets the types it asked for, and the offsets of the others are settled', async () => {
  const { one, client } = await platform()
  const [all, some] = [client(), client()]
  await all.subscribe()
  await some.subscribe(['call.ringing', 'call.busy'])
  for (let i = 0; i < 5; i++) await one.live.publish(batchOf(LIVE_TYPES))
  await all.received(40)
  await some.settledTo(40)
  expect(some.messages.map((message) => message.type)).toEqual(
    Array.from({ length: 5 }, () => ['call.ringing', 'call.busy']).flat(),
  )
  expect([...all.broken(), ...some.broken()]).toEqual([])
})

test('patterns may be added and taken away; the answer says from which offset on', async () => {
  const { one, client } = await platform()
  const subscriber = client()
  await subscriber.subscribe(['call.ringing'])
  await one.live.publish(batchOf(['call.ringing', 'call.answered']))
  await subscriber.received(1)
  expect(await subscriber.subscribe(['call.answered'])).toMatchObject({
    patterns: ['call.ringing', 'call.answered'],
    offset: 2,
  })
  await one.live.publish(batchOf(['call.ringing', 'call.answered']))
  await subscriber.received(3)
  subscriber.send({ type: 'unsubscribe', patterns: ['call.ringing'] })
  expect(await subscriber.notice('unsubscribed')).toMatchObject({ patterns: ['call.answered'], offset: 4 })
  await one.live.publish(batchOf(['call.ringing', 'call.answered']))
  await subscriber.received(4)
  expect(subscriber.messages.map((message) => message.offset)).toEqual([1, 3, 4, 6])
  expect(subscriber.broken()).toEqual([])
})

test('subscribing while messages flow has no gap and no repeat', async () => {
  const { one, two, client } = await platform()
  let going = true
  const publishing = [one, two].map(async (instance) => {
    while (going) await instance.live.publish(ringing(3))
  })
  const clients = []
  for (let i = 0; i < 20; i++) {
    const each = client(i % 2 === 0 ? one : two)
    clients.push(each)
    await each.subscribe(i % 3 === 0 ? ['call.ringing'] : undefined)
  }
  going = false
  await Promise.all(publishing)
  await one.live.publish(ringing())
  const last = Math.max(...clients.map((each) => each.position().offset))
  for (const each of clients) {
    await each.settledTo(last)
    const first = each.notices[0]!.offset
    expect(each.messages.slice(0, last - first).map((message) => message.offset)).toEqual(
      Array.from({ length: last - first }, (_, i) => first + 1 + i),
    )
    expect(each.broken()).toEqual([])
  }
})

test('no tenant sees anything of another', async () => {
  const { one, two, client } = await platform()
  const [mine, theirs] = [client(one), client(two, 'other-key')]
  await mine.subscribe()
  await theirs.subscribe()
  const [ours, others] = [ringing(5), ringing(3, OTHER_TENANT)]
  await two.live.publish(ours)
  await one.live.publish(others)
  await mine.received(5)
  await theirs.received(3)
  expect(mine.ids()).toEqual(idsOf(ours))
  expect(theirs.ids()).toEqual(idsOf(others))
})

test('a batch published twice, by whomever, is delivered once', async () => {
  const { one, two, client } = await platform()
  const subscriber = client()
  await subscriber.subscribe()
  const [first, second] = [ringing(3), ringing(2)]
  await Promise.all([one.live.publish(first), two.live.publish(first), one.live.publish(first)])
  await two.live.publish(first)
  await one.live.publish(second)
  await subscriber.received(5)
  expect(subscriber.ids()).toEqual([...idsOf(first), ...idsOf(second)])
  expect((await one.metric('livePublished')) + (await two.metric('livePublished'))).toBe(5)
})

test('the same batch id with other events, as after a new database, is another batch', async () => {
  const { one, client } = await platform()
  const subscriber = client()
  await subscriber.subscribe()
  const [first, second] = [ringing(), ringing()]
  await one.live.publish(first)
  await one.live.publish({ ...second, batchId: first.batchId })
  await subscriber.received(2)
  expect(subscriber.ids()).toEqual([...idsOf(first), ...idsOf(second)])
})

test('messages of one tick share a frame, and a message after silence does not wait for the tick', async () => {
  const { one, client } = await platform({ settings: { liveTickMs: 400 } })
  const subscriber = client()
  await subscriber.subscribe()
  const startedAt = Date.now()
  await one.live.publish(ringing())
  await subscriber.received(1)
  expect(Date.now() - startedAt).toBeLessThan(300)
  for (let i = 0; i < 20; i++) void one.live.publish(ringing())
  await subscriber.received(21)
  expect(subscriber.heads.length).toBeLessThanOrEqual(3)
})

test('metrics count messages times sockets, and frames', async () => {
  const { one, two, client } = await platform()
  const clients = [client(one), client(one), client(two)]
  for (const each of clients) await each.subscribe()
  await one.live.publish(ringing(10))
  for (const each of clients) await each.received(10)
  const busy = client(two)
  await busy.subscribe(['call.busy'])
  await one.live.publish(batchOf(['call.ringing', 'call.busy']))
  await busy.received(1)
  for (const each of clients) await each.received(12)
  expect(await one.metric('livePublished')).toBe(12)
  expect(await two.metric('liveReceived')).toBe(12)
  expect(await one.metric('liveDelivered')).toBe(24)
  expect(await two.metric('liveDelivered')).toBe(13)
  expect(await two.metric('liveFrames')).toBe(3)
  expect(await one.metric('liveSockets')).toBe(2)
})
