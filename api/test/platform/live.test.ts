import { request } from 'node:http'
import type { LiveFrameHead, LiveMessage } from '@hopwhistle/contract/live.ts'
import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { anEvent, get, type Platform, post, type Running, runningPlatform, type Tenant } from './running-platform.ts'

let platform: Platform
beforeAll(async () => {
  platform = await runningPlatform(2)
})
afterAll(() => platform.close())

/** A subscriber to everything of its tenant, with all that it was sent. */
async function subscriber(at: Running, { key }: Tenant) {
  const socket = new WebSocket(at.url.replace('http', 'ws') + ROUTES.live, { headers: { [HEADERS.apiKey]: key } })
  const heads: LiveFrameHead[] = []
  const messages: LiveMessage[] = []
  const closed = new Promise<number>((resolve) => socket.once('close', resolve))
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  const subscribed = new Promise<void>((resolve) => {
    socket.on('message', (data) => {
      const [head, ...lines] = String(data).trimEnd().split('\n')
      const parsed = JSON.parse(head!)
      if (parsed.type === 'subscribed') resolve()
      if (parsed.type !== 'events') return
      heads.push(parsed)
      messages.push(...lines.map((line) => JSON.parse(line)))
    })
  })
  socket.send(JSON.stringify({ type: 'subscribe', patterns: ['call.*'] }))
  await subscribed
  return { heads, messages, closed, close: () => socket.close() }
}

test('an event taken by one instance reaches the subscribers of both, once, in one order, and no other tenant’s', async () => {
  const [acme, other] = [await platform.newTenant(), await platform.newTenant()]
  const [first, second] = platform.instances as [Running, Running]
  const near = await subscriber(first, acme)
  const far = await subscriber(second, acme)
  const stranger = await subscriber(second, other)
  const events = Array.from({ length: 200 }, () => anEvent('INITIATED'))
  const answers = await Promise.all(events.map((event, i) => post(i % 2 === 0 ? first : second, event, acme.key)))
  expect(answers.every((a) => a.status === 201)).toBe(true)
  await expect.poll(() => Math.min(near.messages.length, far.messages.length), { timeout: 10_000 }).toBe(200)
  const offsets = near.messages.map((m) => m.offset)
  expect(offsets).toEqual(Array.from({ length: 200 }, (_, i) => offsets[0]! + i))
  expect(far.messages).toEqual(near.messages)
  expect(new Set(near.messages.map((m) => m.eventId))).toEqual(new Set(events.map((e) => e.eventId)))
  for (const [i, head] of near.heads.entries()) if (i > 0) expect(head.from).toBe(near.heads[i - 1]!.to + 1)
  expect(stranger.messages).toEqual([])
  for (const s of [near, far, stranger]) s.close()
})

test('whatever order two instances publish in, the largest sequence of a call has its state: a thousand pairs', {
  timeout: 60_000,
}, async () => {
  const acme = await platform.newTenant()
  const [first, second] = platform.instances as [Running, Running]
  const listening = await subscriber(second, acme)
  // One instance is busy, so that its ticks wait; the other publishes at once.
  let pairs = 0
  const sender = async () => {
    while (pairs < 1_000) {
      pairs += 1
      const { callId } = anEvent('RINGING')
      await post(pairs % 2 === 0 ? first : second, { ...anEvent('RINGING'), callId }, acme.key)
      await post(pairs % 2 === 0 ? second : first, { ...anEvent('ANSWERED'), callId }, acme.key)
    }
  }
  await Promise.all(Array.from({ length: 8 }, sender))
  await expect.poll(() => listening.messages.length, { timeout: 20_000 }).toBe(2_000)
  const shown = new Map<string, LiveMessage>()
  for (const message of listening.messages) {
    const before = shown.get(message.callId)
    if (before === undefined || Number(message.sequence) > Number(before.sequence)) shown.set(message.callId, message)
  }
  expect(shown.size).toBe(1_000)
  expect(new Set([...shown.values()].map(({ type, sequence }) => `${type} ${sequence}`))).toEqual(
    new Set(['call.answered 2']),
  )
  listening.close()
})

test('a duplicate is not delivered again, and the same call without an upgrade says whether the key is good', async () => {
  const acme = await platform.newTenant()
  const [first] = platform.instances as [Running]
  const listening = await subscriber(first, acme)
  const event = anEvent('RINGING')
  for (let i = 0; i < 3; i++) await post(first, event, acme.key)
  await post(first, anEvent('ANSWERED'), acme.key)
  await expect.poll(() => listening.messages.length, { timeout: 5_000 }).toBe(2)
  const { key: writer } = await platform.newTenant(['events:write'])
  for (const [key, code] of [
    [acme.key, 'upgrade-required'],
    [undefined, 'unauthorized'],
    [writer, 'missing-scope'],
  ] as const) {
    expect((await get(first, ROUTES.live, key)).body).toMatchObject({ code })
  }
  listening.close()
})

test('a request that offers another upgrade is answered without it', async () => {
  const acme = await platform.newTenant()
  const [first] = platform.instances as [Running]
  const status = await new Promise((resolve, reject) => {
    request(first.url + ROUTES.reportCalls, {
      headers: { [HEADERS.apiKey]: acme.key, connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c' },
    })
      .once('response', (response) => resolve(response.resume().statusCode))
      .once('error', reject)
      .end()
  })
  expect(status).toBe(200)
})

test('with Redis away events are still taken, and are delivered when it is back', async () => {
  const acme = await platform.newTenant()
  const [first, second] = platform.instances as [Running, Running]
  const listening = await subscriber(second, acme)
  await platform.redis.stop()
  const events = Array.from({ length: 20 }, () => anEvent('INITIATED'))
  const answers = await Promise.all(events.map((event) => post(first, event, acme.key)))
  expect(answers.map((a) => a.status)).toEqual(Array(20).fill(201))
  await platform.redis.start()
  await expect.poll(() => new Set(listening.messages.map((m) => m.eventId)).size, { timeout: 15_000 }).toBe(20)
  expect(listening.messages).toHaveLength(20)
  listening.close()
})

test('an instance that stops tells its subscribers to come again', async () => {
  const leaving = await runningPlatform(1)
  const acme = await leaving.newTenant()
  const listening = await subscriber(leaving.instances[0]!, acme)
  await leaving.close()
  expect(await listening.closed).toBe(1012)
})
