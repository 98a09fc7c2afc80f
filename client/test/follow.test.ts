import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { anEvent, type Platform, runningPlatform, type Tenant } from '../../api/test/platform/running-platform.ts'
import { waitUntil } from '../../platform/lib/wait-until.ts'
import {
  type CallEvent,
  type ConnectionChange,
  createSender,
  type FollowOptions,
  follow,
  HopwhistleError,
  type LiveGap,
  type LiveMessage,
} from '../src/index.ts'
import { portOf, proxyTo } from './support/proxy-to.ts'

const QUICK = { firstMs: 20, maxMs: 100 }

let platform: Platform
let acme: Tenant
beforeAll(async () => {
  platform = await runningPlatform(2, { KEY_CACHE_MS: '100' })
  acme = await platform.newTenant()
})
afterAll(() => platform.close())

const url = () => platform.instances[0]!.url
const events = (count: number): CallEvent[] => Array.from({ length: count }, () => anEvent('INITIATED'))
const send = async (sent: readonly CallEvent[], { key } = acme, at = url()) => {
  const results = await createSender({ url: at, apiKey: key }).send(sent)
  expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(['applied']))
}

/** Follows in the background, and remembers everything; subscribed when this resolves. */
async function following(at: string, options: FollowOptions = {}, { key } = acme) {
  const items: (LiveMessage | LiveGap)[] = []
  const changes: ConnectionChange[] = []
  const over = new AbortController()
  const onConnection = (change: ConnectionChange) => changes.push(change)
  const follower = follow({ url: at, apiKey: key }, { backoff: QUICK, signal: over.signal, onConnection, ...options })
  const end = (async () => {
    for await (const item of follower) items.push(item)
  })().catch((error: unknown) => error)
  onTestFinished(async () => {
    over.abort()
    await end
  })
  const until = (what: string, isSo: () => boolean) => waitUntil(what, isSo, { timeoutMs: 15_000 })
  await until('the subscription', () => changes.length > 0)
  return {
    follower,
    items,
    changes,
    /** Resolves when it ended, with its error if it had one. */
    end,
    stop: () => over.abort(),
    ids: () => items.map((item) => (item.type === 'gap' ? 'gap' : item.eventId)),
    has: (count: number) => until(`${count} messages`, () => items.length >= count),
    subscribed: (times: number) =>
      until(`subscription ${times}`, () => changes.filter(({ state }) => state === 'subscribed').length >= times),
  }
}

test('when the server closes the socket, the follower comes back at another instance and misses nothing', async () => {
  const leaving = await runningPlatform(2)
  onTestFinished(() => leaving.instances[1]!.instance.close())
  const tenant = await leaving.newTenant()
  const [first, second] = leaving.instances.map((each) => each.url) as [string, string]
  const proxy = await proxyTo(first)
  const { ids, has, changes, subscribed } = await following(proxy.url, {}, tenant)
  const sent = [events(20), events(20), events(20)] as const
  await send(sent[0], tenant, second)
  await has(20)
  proxy.lead(portOf(second))
  const stopped = leaving.instances[0]!.instance.close()
  await waitUntil('the socket to be closed', () => changes.some(({ state }) => state === 'lost'), { timeoutMs: 15_000 })
  await send(sent[1], tenant, second)
  await subscribed(2)
  await send(sent[2], tenant, second)
  await has(60)
  await stopped
  expect(new Set(ids())).toEqual(new Set(sent.flat().map(({ eventId }) => eventId)))
  expect(ids()).toHaveLength(60)
  expect(changes.slice(0, 3)).toMatchObject([
    { state: 'subscribed', recovered: true },
    { state: 'lost', code: 1012 },
    { state: 'subscribed', recovered: true },
  ])
})

test('a later follower goes on where an earlier one was', async () => {
  const earlier = await following(url())
  await send(events(5))
  await earlier.has(5)
  const { position } = earlier.follower
  earlier.stop()
  expect(await earlier.end).toBeUndefined()
  const missed = events(7)
  await send(missed)
  const later = await following(url(), { after: position! })
  await later.has(7)
  expect(new Set(later.ids())).toEqual(new Set(missed.map(({ eventId }) => eventId)))
})

test('where the history is gone a follower is told of the gap, and goes on', async () => {
  const proxy = await proxyTo(url())
  const { follower, items, ids, has, subscribed } = await following(proxy.url)
  await send(events(3))
  await has(3)
  const before = follower.position
  proxy.set('cut')
  await platform.redis.stop()
  await platform.redis.start()
  proxy.set('open')
  await subscribed(2)
  await has(4)
  expect(items[3]).toEqual({ type: 'gap', after: before, now: expect.objectContaining({ epoch: expect.any(String) }) })
  expect((items[3] as LiveGap).now.epoch).not.toBe(before!.epoch)
  const sent = events(2)
  await send(sent)
  await has(6)
  expect(new Set(ids().slice(4))).toEqual(new Set(sent.map(({ eventId }) => eventId)))
})

test('a key that is refused ends it with the reason, at once', async () => {
  const first = async (key: string) => {
    const lost: ConnectionChange[] = []
    const follower = follow({ url: url(), apiKey: key }, { onConnection: (change) => lost.push(change) })
    const error = await follower[Symbol.asyncIterator]()
      .next()
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(HopwhistleError)
    expect(String(error)).not.toContain(key)
    expect(lost).toEqual([])
    return (error as HopwhistleError).problem
  }
  expect(await first('no-such-key')).toMatchObject({ status: 401, code: 'unauthorized' })
  const { key } = await platform.newTenant(['events:write'])
  expect(await first(key)).toMatchObject({ status: 403, code: 'missing-scope' })
})

test('a key that is revoked meanwhile ends it with the reason', async () => {
  const tenant = await platform.newTenant()
  const { end } = await following(url(), {}, tenant)
  await platform.query('update hopwhistle.api_keys set revoked_at = now() where tenant_id = $1', [tenant.id])
  const error = await end
  expect(error).toBeInstanceOf(HopwhistleError)
  expect((error as HopwhistleError).problem).toMatchObject({ code: 'closed-4401' })
})

test('what the server does not understand ends it with what the server said', async () => {
  const patterns = ['call.*', 'nonsense'] as unknown as ['call.*']
  const follower = follow({ url: url(), apiKey: acme.key }, { patterns })
  await expect(follower[Symbol.asyncIterator]().next()).rejects.toThrow(/nonsense/)
})

test('leaving the loop closes the connection, and only what was asked for comes', async () => {
  const changes: ConnectionChange[] = []
  const onConnection = (change: ConnectionChange) => {
    changes.push(change)
    void send([anEvent('INITIATED'), anEvent('RINGING')])
  }
  const follower = follow({ url: url(), apiKey: acme.key }, { patterns: ['call.ringing'], onConnection })
  for await (const message of follower) {
    expect(message.type).toBe('call.ringing')
    break
  }
  expect(changes).toHaveLength(1)
  const sockets = async () => (await fetch(`${platform.instances[0]!.adminUrl}/metrics`)).text()
  await waitUntil(
    'the socket to be closed',
    async () => /hopwhistle_usage\{resource="websockets"[^}]*\} 0\b/.test(await sockets()),
    { timeoutMs: 10_000 },
  )
})
