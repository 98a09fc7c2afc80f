import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { recentAnswers } from '../../src/reporting/recent-answers.ts'
import type { Platform, Tenant } from './reporting-platform.ts'
import { startPlatform } from './reporting-platform.ts'

let platform: Platform
let other: Platform
let tenant: Tenant
beforeAll(async () => {
  platform = await startPlatform({ answersKeptMs: 60_000 })
  other = await startPlatform({ database: platform.database, redisUrl: platform.redisUrl })
  tenant = await platform.newTenant()
})
afterAll(async () => {
  await other.close()
  await platform.close()
})

const DAY_MS = 86_400_000
const settled = (days: number) => {
  const to = Math.floor(Date.now() / DAY_MS) * DAY_MS - DAY_MS
  return { granularity: 'day', from: new Date(to - days * DAY_MS).toISOString(), to: new Date(to).toISOString() }
}

test('what was just answered is answered again, the same but for its source, without asking Redis or Postgres', async () => {
  const first = await tenant.metrics(settled(3))
  const asked = vi.spyOn(platform.redis.commands, 'getBuffer')
  const again = await tenant.metrics(settled(3))
  expect(again.body).toEqual({ ...first.body, source: 'cache' })
  const sameTag = { 'if-none-match': String(first.headers.etag) }
  const url = `/api/v1/reporting/metrics?${new URLSearchParams(settled(3))}`
  expect([(await tenant.ask(url, sameTag)).status, asked.mock.calls.length]).toEqual([304, 0])
  asked.mockRestore()
})

test('another tenant gets none of it', async () => {
  const stranger = await platform.newTenant()
  await tenant.post({ callId: 'mine', state: 'RINGING', atMs: Date.now() - 3 * DAY_MS })
  await platform.database.replicaCaughtUp()
  expect((await tenant.metrics(settled(20))).body.totals.calls).toBe(1)
  const { body } = await stranger.metrics(settled(20))
  expect([body.totals.calls, body.source]).toEqual([0, 'replica'])
})

test('who asks for a position gets past it, and whoever asks after that gets what came of it', async () => {
  const before = await tenant.metrics(settled(30))
  const position = await tenant.post({ callId: 'late', state: 'RINGING', atMs: Date.now() - 3 * DAY_MS })
  const shown = await tenant.metrics({ ...settled(30), position })
  expect(shown.body.source).not.toBe('cache')
  expect(shown.body.totals.calls).toBe(before.body.totals.calls + 1)
  expect((await tenant.metrics(settled(30))).body).toEqual({ ...shown.body, source: 'cache' })
})

test('what another instance put into the cache for a position is seen long before the answer in memory is over', async () => {
  const ask = () => other.reports.metrics(tenant.tenantId, range)
  const to = Math.floor(Date.now() / DAY_MS) * DAY_MS - DAY_MS
  const range = { granularity: 'day', fromMs: to - 40 * DAY_MS, toMs: to } as const
  const before = JSON.parse(String((await ask()).body))
  const position = await tenant.post({ callId: 'elsewhere', state: 'RINGING', atMs: Date.now() - 3 * DAY_MS })
  await tenant.metrics({ ...settled(40), position })
  // The one in memory is good for a minute, and is given for a quarter of a second.
  await waitUntil(
    'the other instance to see it',
    async () => JSON.parse(String((await ask()).body)).totals.calls > before.totals.calls,
    { timeoutMs: 10_000, everyMs: 5 },
  )
})

const MIB = 1024 * 1024
/** @param bytes that it keeps from being freed */
const report = (goodForMs: number, bytes = 10) => ({
  position: 0n,
  expiresAtMs: Date.now() + goodForMs,
  tag: `${goodForMs} ms`,
  body: Buffer.allocUnsafeSlow(bytes),
})

test('an answer that nobody asks for again is let go of by itself', async () => {
  const recent = recentAnswers({ keepMs: 50 })
  for (let i = 0; i < 5; i++) recent.keep(`of the last hour ${i}`, report(60_000, 1_000))
  expect(recent.heldBytes()).toBe(5_000)
  await waitUntil('all to be let go of', async () => recent.heldBytes() === 0, { timeoutMs: 10_000, everyMs: 5 })
})

test('an answer is kept no longer than it is good for, and not at all when it is good no more', async () => {
  const recent = recentAnswers({ keepMs: 60_000 })
  recent.keep('soon over', report(50))
  recent.keep('long', report(60_000))
  recent.keep('over', report(0))
  recent.keep('long over', report(-10))
  expect([recent.get('over'), recent.get('long over'), recent.heldBytes()]).toEqual([undefined, undefined, 20])
  await waitUntil('the first to be over', async () => recent.get('soon over') === undefined, { timeoutMs: 10_000 })
  expect(recent.get('long')).toBeDefined()
})

test('an answer gives way to newer ones only', () => {
  const recent = recentAnswers({ keepMs: 60_000 })
  recent.keep('key', report(60_000))
  recent.keep('key', report(50_000))
  expect(recent.get('key')?.tag).toBe('60000 ms')
  recent.keep('key', report(70_000, 30))
  expect([recent.get('key')?.tag, recent.heldBytes()]).toEqual(['70000 ms', 30])
})

test('not more than 16 MiB are kept: what nobody asked for longest goes first', () => {
  const recent = recentAnswers({ keepMs: 60_000 })
  for (const key of ['a', 'b', 'c', 'd']) recent.keep(key, report(60_000, 4 * MIB))
  recent.get('a')
  recent.keep('e', report(60_000, 4 * MIB))
  recent.keep('too large', report(60_000, 17 * MIB))
  expect(['a', 'b', 'c', 'd', 'e', 'too large'].filter((key) => recent.get(key) !== undefined)).toEqual([
    'a',
    'c',
    'd',
    'e',
  ])
  expect(recent.heldBytes()).toBe(16 * MIB)
})
