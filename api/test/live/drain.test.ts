import { expect, test } from 'vitest'
import { TENANT } from './support/instance.ts'
import { idsOf, ringing } from './support/messages.ts'
import { platform } from './support/platform.ts'

test('draining closes every socket with 1012, spread out, and refuses new ones; publishing goes on', async () => {
  const { one, two, client } = await platform()
  const clients = Array.from({ length: 20 }, () => client(one))
  for (const each of clients) await each.subscribe()
  const other = client(two)
  await other.subscribe()
  const closedAt: number[] = []
  for (const each of clients) each.socket.on('close', () => closedAt.push(Date.now()))
  const drained = one.live.drain(1_000)
  await expect(client(one).opened()).rejects.toThrow('503')
  await drained
  for (const each of clients) expect(await each.closedWith()).toMatchObject({ code: 1012 })
  expect(Math.max(...closedAt) - Math.min(...closedAt)).toBeGreaterThan(50)
  expect(one.live.sockets()).toBe(0)
  expect(await one.metric('liveClosed', { reason: 'restart' })).toBe(20)

  const batch = ringing(3)
  await one.live.publish(batch)
  await other.received(3)
  expect(other.ids()).toEqual(idsOf(batch))
})

test('who is drained away from one instance goes on at another without a gap', async () => {
  const { one, two, client } = await platform()
  const clients = Array.from({ length: 10 }, () => client(one))
  for (const each of clients) await each.subscribe()
  let going = true
  const publishing = (async () => {
    while (going) await two.live.publish(ringing(5))
  })()
  const [, ...moved] = await Promise.all([
    one.live.drain(100),
    ...clients.map(async (each) => {
      await each.closedWith()
      const next = client(two)
      expect(await next.subscribe(['call.*'], each.position())).toMatchObject({ recovered: true })
      return next
    }),
  ])
  going = false
  await publishing
  const end = Number(await two.redis.commands.hget(`hw:{${TENANT}}:live:head`, 'offset'))
  for (const [i, next] of moved.entries()) {
    await next.settledTo(end)
    const offsets = [...clients[i]!.messages, ...next.messages].map((message) => message.offset)
    expect(offsets).toEqual(Array.from({ length: end }, (_, index) => index + 1))
    expect([...clients[i]!.broken(), ...next.broken()]).toEqual([])
  }
})
